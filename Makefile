# luasync: threads for Lua 5.4. `make help` lists what can be asked for.

PREFIX  ?= /usr/local
DESTDIR ?=
ifeq ($(origin LUA),undefined)
LUA     := $(firstword $(shell for name in lua5.4 lua-5.4 lua54 lua; do \
             $$name -e 'os.exit(_VERSION == "Lua 5.4")' 2>/dev/null && echo $$name; done))
endif
ifeq ($(origin CC),default)
CC      := gcc
endif
JOBS    ?= $(shell nproc 2>/dev/null || echo 1)

comma := ,

# A sanitized build never mixes with the plain one: each has its own folder.
SANITIZE ?=
ifeq ($(SANITIZE),)
BUILD ?= build
else
BUILD ?= build/$(subst $(comma),-,$(SANITIZE))
endif

MAKEFLAGS += --no-builtin-rules --no-print-directory
.SUFFIXES:
.DELETE_ON_ERROR:
.DEFAULT_GOAL := all

Q   := $(if $(filter 1,$(V)),,@)
say  = $(if $(filter 1,$(V)),,@printf '  %-6s %s\n' $(1) "$(2)")

# ---------------------------------------------------------------- Lua itself
# Empty on a machine where nothing is installed yet: `test` and `demo` run
# scripts/setup.sh and then start make again, which looks anew. Another Lua is
# given by LUA_CFLAGS and LUA_STATIC on make's command line (scripts/apicheck.sh).
PKG_CONFIG ?= pkg-config
LUA_PC := $(shell for name in lua5.4 lua-5.4 lua54 lua; do \
            $(PKG_CONFIG) --exists "$$name >= 5.4" "$$name < 5.5" 2>/dev/null \
              && { echo $$name; break; }; done)
ifneq ($(LUA_PC),)
LUA_CFLAGS ?= $(shell $(PKG_CONFIG) --cflags $(LUA_PC))
LUA_LIBDIR := $(shell $(PKG_CONFIG) --variable=libdir $(LUA_PC))
LUA_STATIC := $(firstword $(wildcard $(foreach name,lua5.4 lua-5.4 lua54 lua,$(LUA_LIBDIR)/lib$(name).a)))
LUA_LIBS   ?= $(or $(LUA_STATIC),$(shell $(PKG_CONFIG) --libs $(LUA_PC)))
endif

# -------------------------------------------------------------------- sources
SOURCES   := $(sort $(wildcard src/*/*.c src/*/*/*.c))
HOST_ONLY := $(filter src/command/%,$(SOURCES))
EMBEDDED  := $(sort $(wildcard lua/luasync/*.* lua/luasync/*/*.* lua/luasync/*/*/*.*))

# Lua's interpreter is 5 % slower or faster by where its code happens to begin:
# its objects are taken out of the static library and put on cache lines. Those in which Lua loops
# by itself, in patterns and the like, get a section of their own: see watchdog.c.
LUA_VM := $(addprefix $(BUILD)/host/lua/,$(if $(LUA_STATIC),$(shell ar t $(LUA_STATIC) | grep -x -e lvm.o -e ldo.o \
            -e lstrlib.o -e ltablib.o)))
$(BUILD)/host/lua/lstrlib.o $(BUILD)/host/lua/ltablib.o: OWN_SECTION := --rename-section .text=lua_loops

HOST_OBJECTS   := $(SOURCES:src/%.c=$(BUILD)/host/%.o) $(BUILD)/host/embedded.o $(LUA_VM)
MODULE_OBJECTS := $(patsubst src/%.c,$(BUILD)/module/%.o,$(filter-out $(HOST_ONLY),$(SOURCES))) \
                  $(BUILD)/module/embedded.o
HOST   := $(BUILD)/luasync
MODULE := $(BUILD)/luasync.so

# ---------------------------------------------------------------------- flags
WARNINGS := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
            $(if $(filter 1,$(WERROR)),-Werror)
OPTIMIZE := $(if $(SANITIZE),-O1 -fno-omit-frame-pointer,-O2)
SANITIZER := $(if $(SANITIZE),-fsanitize=$(SANITIZE) $(if $(findstring undefined,$(SANITIZE)),-fno-sanitize-recover=undefined))
ALL_CPPFLAGS := -D_GNU_SOURCE -Isrc $(LUA_CFLAGS) $(CPPFLAGS)
ALL_CFLAGS   := -std=gnu11 $(OPTIMIZE) -g $(WARNINGS) -fvisibility=hidden \
                -ftls-model=initial-exec -pthread $(SANITIZER) $(CFLAGS)

# A simulated world needs a hash seed that does not depend on the time of day;
# whichever source supplies __wrap_time asks for it.
WRAP := $(if $(shell grep -ls __wrap_time $(SOURCES) /dev/null),-Wl$(comma)--wrap=time)

HOST_CFLAGS    := -fno-pie
HOST_LDFLAGS   := -no-pie -Wl,-E $(WRAP) $(SANITIZER) -pthread $(LDFLAGS)
HOST_LIBS      := $(LUA_LIBS) -lm -ldl -lpthread
MODULE_CFLAGS  := -fPIC
MODULE_LDFLAGS := -shared -Wl,-z,nodelete $(WRAP) $(SANITIZER) -pthread $(LDFLAGS)

# ---------------------------------------------------------------------- build
.PHONY: all help setup demo docs pictures play test check spec spec-host spec-stock sanitizers stress rock install-rock lint format bench bench-explore valgrind \
        apicheck fuzz mutants coverage install uninstall clean FORCE

all: $(HOST) $(MODULE) docs ## build the command build/luasync, the module build/luasync.so and the documentation

$(HOST): $(HOST_OBJECTS)
	$(call say,LINK,$@)
	$(Q)$(CC) $(HOST_LDFLAGS) -o $@ $^ $(HOST_LIBS)

$(MODULE): $(MODULE_OBJECTS)
	$(call say,LINK,$@)
	$(Q)$(CC) $(MODULE_LDFLAGS) -o $@ $^ -lm

# The search by itself, for its spec: no Lua state, no thread.
$(BUILD)/search_check: $(addprefix spec/explore/,search_check.c tree_check.c orders_check.c) $(patsubst %,$(BUILD)/host/%.o,base/grow \
    $(addprefix explore/,footprint history reversal interleavings interleavings_few wakeup_tree dpor state_graph))
	$(call say,LINK,$@)
	$(Q)$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) $(HOST_CFLAGS) -no-pie -o $@ $^

$(BUILD)/host/lua/%.o: $(LUA_STATIC)
	$(Q)mkdir -p $(@D) && cd $(@D) && ar x $(LUA_STATIC) $(@F) && touch $(@F)
	$(Q)objcopy $(or $(OWN_SECTION),--set-section-alignment .text=64) $@ 2>/dev/null || true

$(BUILD)/host/%.o: src/%.c $(BUILD)/flags
	$(call say,CC,$@)
	$(Q)mkdir -p $(@D) && $(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) $(HOST_CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/module/%.o: src/%.c $(BUILD)/flags
	$(call say,CC,$@)
	$(Q)mkdir -p $(@D) && $(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) $(MODULE_CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/host/embedded.o: $(BUILD)/embedded.c
	$(call say,CC,$@)
	$(Q)mkdir -p $(@D) && $(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) $(HOST_CFLAGS) -c -o $@ $<

$(BUILD)/module/embedded.o: $(BUILD)/embedded.c
	$(call say,CC,$@)
	$(Q)mkdir -p $(@D) && $(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) $(MODULE_CFLAGS) -c -o $@ $<

# The list of files is a prerequisite too (through flags): a removed module
# must leave the binary.
$(BUILD)/embedded.c: scripts/embed.lua $(EMBEDDED) $(BUILD)/flags
	@$(NEEDS_LUA)
	$(call say,EMBED,$@)
	$(Q)mkdir -p $(@D) && $(LUA) scripts/embed.lua $@ $(EMBEDDED)

# Rewritten only when something in it changed, so that other flags, another
# compiler or another set of files rebuild what they must. The look at it happens
# while make reads this file: when nothing has changed nothing is to be made.
NEEDS_LUA = $(if $(LUA),,echo "no Lua 5.4 interpreter in the PATH (lua5.4, lua-5.4, lua54, lua): set LUA=/path/to/lua" >&2; exit 1)
FINGERPRINT = $(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) $(HOST_LDFLAGS) $(HOST_LIBS) $(EMBEDDED)
ifneq ($(strip $(file <$(BUILD)/flags)),$(strip $(FINGERPRINT)))
$(BUILD)/flags: FORCE
endif
$(BUILD)/flags:
	@$(if $(LUA_CFLAGS)$(LUA_PC),,echo "Lua 5.4 is not installed: pkg-config does not find it. 'make setup' installs it on Debian;" \
	  "elsewhere set PKG_CONFIG_PATH, or LUA_CFLAGS and LUA_LIBS" >&2; exit 1)
	@$(NEEDS_LUA)
	@mkdir -p $(@D) && printf '%s\n' '$(subst ','\'',$(FINGERPRINT))' > $@
FORCE:

-include $(patsubst %.o,%.d,$(HOST_OBJECTS) $(MODULE_OBJECTS))

# ---------------------------------------------------------------- set-up, runs
setup: ## install the Debian packages that are missing (through sudo when not root)
	@scripts/setup.sh all

demo: ## set up, build and play every tutorial program, quickly
	@scripts/setup.sh build
	@$(MAKE) play

play: all
	@scripts/demo.sh $(HOST)

test: ## set up, build, lint and run the specs in luasync and in stock lua5.4; those tagged slow are in stress
	@scripts/setup.sh test
	@$(MAKE) -j$(JOBS) all
	@$(MAKE) lint
	@$(MAKE) -j$$(($(JOBS) + 1)) spec BUSTED_FLAGS="--exclude-tags=slow $(BUSTED_FLAGS)"

# The specs find what they test through these; child states of the module in
# stock Lua look at them as well.
ABS_BUILD = $(abspath $(BUILD))
BUSTED    = $(shell command -v busted || echo busted-is-missing)
SPECS    ?=
SPEC_ENV  = env -u LUA_INIT -u LUA_INIT_5_4 -u LUA_PATH_5_4 -u LUA_CPATH_5_4 \
            LUASYNC='$(ABS_BUILD)/luasync' LUASYNC_MODULE='$(ABS_BUILD)/luasync.so' LUASYNC_SEARCH='$(ABS_BUILD)/search_check' LUASYNC_FAULTS='$(ABS_BUILD)/faults' \
            LUA_PATH='lua/?.lua;;' LUA_CPATH='$(ABS_BUILD)/?.so;;' \
            ASAN_OPTIONS=abort_on_error=0:$$ASAN_OPTIONS \
            TSAN_OPTIONS=halt_on_error=0:second_deadlock_stack=1:atexit_sleep_ms=0:$$TSAN_OPTIONS \
            UBSAN_OPTIONS=print_stacktrace=1:$$UBSAN_OPTIONS

# What a sanitizer cannot run is tagged so in its spec: #slow what would take too
# long (`make test` leaves that to `make stress`, and #long to its long form);
# #heavy what runs one thread after the other for long, in code that lighter specs
# run under a sanitizer; #notsan what needs a signal inside a Lua loop or a read of
# stdin (ThreadSanitizer keeps it back until the next call that it knows of the C
# library); #noasan what measures memory; both what needs checkpoints, which a
# sanitizer's stacks do not go back with; #noapicheck what fills Lua's stack, which
# moves at each call there.
# For valgrind #novalgrind: what maps more pieces of memory than it can
# count, or needs a terminal's pace.
SKIPPED_address   = --exclude-tags=slow,heavy,noasan$(if $(filter %apicheck,$(BUILD)),$(comma)noapicheck)
SKIPPED_address,undefined = $(SKIPPED_address)
SKIPPED_undefined = --exclude-tags=slow,heavy
SKIPPED_thread    = --exclude-tags=slow,heavy,notsan
SKIPPED = $(SKIPPED_$(SANITIZE))

# Calls of C that Lua cannot reach: programs of their own, which a spec runs.
$(BUILD)/steps_test: spec/worlds/steps_test.c
$(BUILD)/heap_test: spec/state/heap_test.c
$(BUILD)/steps_test $(BUILD)/heap_test: $(filter-out $(BUILD)/host/command/%,$(HOST_OBJECTS))
	$(call say,LINK,$@)
	$(Q)$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) $(HOST_CFLAGS) $(HOST_LDFLAGS) -o $@ $^ $(HOST_LIBS)

# The host with memory that fails when it is told to.
FAILING := malloc calloc realloc strdup mmap open_memstream heap_alloc heap_has_room arena_alloc sim_memory luaL_openlibs
$(BUILD)/faults: spec/whole/faults.c $(HOST_OBJECTS)
	$(call say,LINK,$@)
	$(Q)$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) $(HOST_CFLAGS) $(HOST_LDFLAGS) $(FAILING:%=-Wl,--wrap=%) -o $@ $^ $(HOST_LIBS)

C_CHECKS := $(BUILD)/search_check $(BUILD)/steps_test $(BUILD)/heap_test $(BUILD)/faults

# Each folder of spec/ is a process of its own, the longest first: `make -j` runs
# several at once, and what one leaves behind (memory above all, under
# ThreadSanitizer) does not burden the next. SPECS=... is one process.
ROOMS := $(sort $(notdir $(patsubst %/,%,$(dir $(wildcard spec/*/*_spec.lua)))))
LONGEST = host-explore host-models host-worlds stock-worlds host-command host-message host-objects
# The programs of the documentation do nothing that the other rooms do not: sanitizers leave them out. ThreadSanitizer
# sees nothing in what runs in one OS thread: searches, simulated worlds alone, texts, what is typed at the prompt.
# SPECS=spec/explore runs them.
SINGLE = spec/worlds/simulate_spec.lua spec/worlds/worlds_spec.lua spec/worlds/livelock_spec.lua spec/worlds/steps_spec.lua \
         spec/worlds/copies_silent_spec.lua spec/worlds/unstarted_spec.lua spec/command/cli_spec.lua \
         spec/command/repl_keys_spec.lua spec/command/repl_entries_spec.lua spec/command/repl_startup_spec.lua \
         spec/command/repl_worlds_spec.lua spec/trace/writers_spec.lua spec/trace/parts_spec.lua \
         spec/trace/explored_spec.lua spec/lua/hints_spec.lua
ROOMS := $(if $(SANITIZE),$(filter-out docs module $(if $(filter thread,$(SANITIZE)),explore),$(ROOMS)),$(ROOMS))
ROOM = $(if $(filter thread,$(SANITIZE)),$(filter-out $(SINGLE),$(sort $(wildcard spec/$*/*_spec.lua))),spec/$*)
EACH_ROOM = --keep-going $(if $(SPECS),,--output-sync=target)

# Specs of the command start it in processes of their own, and those of livelocks
# count instructions by the hundred million, which are the same whoever starts them:
# one round is enough.
ONCE = spec/command/% spec/explore/% spec/whole/inner_functions_spec.lua spec/whole/faults_spec.lua spec/thread/ends_spec.lua spec/thread/finaliser_spec.lua spec/thread/system_spec.lua \
       spec/worlds/livelock_spec.lua
STOCK_ROOMS = $(filter-out command explore,$(ROOMS))

# Stock Lua is not built with a sanitizer, so a sanitized module cannot load.
IN_HOST  = $(if $(SPECS),host-specs,$(ROOMS:%=host-%))
IN_STOCK = $(if $(SANITIZE),,$(if $(SPECS),stock-specs,$(STOCK_ROOMS:%=stock-%)))

long_first = $(filter $1,$(LONGEST)) $(filter-out $(LONGEST),$1)

spec: $(if $(SANITIZE),$(HOST),all) $(C_CHECKS) ## run the specs only (SPECS="spec/objects/lock_spec.lua", BUSTED_FLAGS="--tags=fast")
	@$(MAKE) $(EACH_ROOM) $(call long_first,$(IN_HOST) $(IN_STOCK))

spec-host: $(if $(SANITIZE),$(HOST),all) $(C_CHECKS)
	@$(MAKE) $(EACH_ROOM) $(call long_first,$(IN_HOST))

spec-stock: all $(C_CHECKS)
	$(if $(IN_STOCK),@$(MAKE) $(EACH_ROOM) $(IN_STOCK))

host-%:
	@echo "== $(if $(SPECS),specs,spec/$*) in $(HOST)"
	$(Q)$(SPEC_ENV) LUASYNC_MODELS=$(or $(MODELS),$(if $(SANITIZE),50,1000)) $(HOST) $(BUSTED) --ignore-lua $(SKIPPED) $(BUSTED_FLAGS) $(or $(SPECS),$(ROOM))

stock-%:
	@echo "== $(if $(SPECS),specs,spec/$*) in $(LUA) with $(MODULE)"
	$(Q)$(SPEC_ENV) LUASYNC_MODELS=$(or $(MODELS),250) $(LUA) $(BUSTED) --ignore-lua $(BUSTED_FLAGS) \
	  $(or $(SPECS),$(filter-out $(ONCE),$(sort $(wildcard spec/$*/*_spec.lua))))

# Side by side, so that no processor waits for the last room of one. UBSan by itself runs what AddressSanitizer
# cannot: checkpoints of simulated worlds, measures of memory.
SANITIZED = sanitized-address-undefined sanitized-thread sanitized-undefined
sanitizers: ## run the specs under each sanitizer
	@$(MAKE) --keep-going $(SANITIZED)

sanitized-%:
	@$(MAKE) spec SANITIZE=$(subst -,$(comma),$*) \
	  $(if $(filter undefined,$*),BUSTED_FLAGS="--tags=noasan $(BUSTED_FLAGS)")

# Seconds each; STRESS=long: an hour.
stress: all ## run what is long by nature: specs tagged slow, random runs of many threads (STRESS=long for more)
	@$(if $(filter long,$(STRESS)),LUASYNC_PROGRAMS=1-2000) $(MAKE) spec BUSTED_FLAGS="--tags=slow $(if $(filter long,$(STRESS)),,--exclude-tags=long) $(BUSTED_FLAGS)"
	@LUASYNC_STRESS=$(if $(filter long,$(STRESS)),1000,4) $(MAKE) spec SPECS="spec/whole/stress_spec.lua spec/whole/conservation_spec.lua spec/whole/exits_spec.lua"
	@$(if $(filter long,$(STRESS)),$(MAKE) spec-host SPECS=spec/models/models_spec.lua MODELS=100000)

# Built aside, so that it is told of stacks; as under AddressSanitizer there are no checkpoints.
valgrind: ## run the specs under valgrind (those not tagged slow, heavy, noasan or novalgrind)
	@scripts/setup.sh valgrind
	@$(MAKE) -j$(JOBS) BUILD=$(BUILD)/valgrind CFLAGS="-O1 -DLUASYNC_VALGRIND $(CFLAGS)" run-valgrind

.PHONY: run-valgrind
run-valgrind: all $(C_CHECKS)
	$(Q)$(SPEC_ENV) LUASYNC_MODELS=$(or $(MODELS),50) valgrind -q --error-exitcode=9 --fair-sched=yes --leak-check=full \
	  --errors-for-leak-kinds=definite --show-leak-kinds=definite \
	  $(HOST) $(BUSTED) --ignore-lua --exclude-tags=slow,heavy,noasan,novalgrind $(BUSTED_FLAGS) $(SPECS)

apicheck: ## run the specs on a Lua that checks how it is used, built from Debian's source (SPECS=...)
	@scripts/setup.sh test
	$(Q)scripts/apicheck.sh spec-host -j$(JOBS)

# Built aside, with counters; what a signal kills counts nothing, but for its terminal that goes.
COVERING = $(MAKE) BUILD=$(BUILD)/coverage CFLAGS="--coverage -fprofile-update=atomic $(CFLAGS)" \
	  LDFLAGS="--coverage $(ABS_BUILD)/coverage/ends.o -Wl,--wrap=_exit $(LDFLAGS)"
coverage: ## run the specs in a build that counts, and print the share of src/ that has run (ALL=all: the lines that have not)
	@find $(BUILD)/coverage -name '*.gcda' -delete 2>/dev/null || true
	@mkdir -p $(BUILD)/coverage
	$(Q)$(CC) -O1 -fPIC -c -o $(BUILD)/coverage/ends.o scripts/coverage.c
	-@$(COVERING) spec-host MODELS=100 BUSTED_FLAGS="--exclude-tags=slow $(BUSTED_FLAGS)"
	-@$(COVERING) stock-specs SPECS=$(or $(SPECS),spec/module/stock_spec.lua)
	@$(LUA) scripts/coverage.lua $(BUILD)/coverage $(ALL)

mutants: ## change src/ a little, build it aside, and list what the specs do not notice (N=20 SEED=1 ONLY=objects/lock)
	$(Q)$(LUA) scripts/mutants.lua n=$(N) seed=$(SEED) only=$(ONLY) seconds=$(SECONDS) build=$(BUILD)/mutants

fuzz: all ## call anything with anything (CALLS=5000000 SECONDS=3600 SEED=1 ONLY=real); prints the seeds of failures
	$(Q)$(LUA) scripts/fuzz/run.lua $(HOST) seed=$(SEED) calls=$(CALLS) seconds=$(or $(SECONDS),$(if $(CALLS),100000)) \
	  only=$(ONLY) keep=$(BUILD)/fuzz

LINTED_LUA = $(wildcard lua scripts spec)
C_FILES = $(sort $(shell find src spec -name '*.[ch]'))
CLANG_FORMAT ?= clang-format
lint: ## luacheck for Lua; layout, layers and cppcheck for C
	$(call say,LINT,$(LINTED_LUA))
	$(Q)luacheck --quiet --no-cache $(LINTED_LUA)
	$(call say,FORMAT,src)
	$(Q)$(CLANG_FORMAT) --style=file --dry-run -Werror $(C_FILES)
	$(call say,LAYERS,src)
	$(Q)$(LUA) scripts/layers.lua $(if $(wildcard $(HOST)),$(BUILD)/host)
	$(call say,LINT,src)
	$(Q)cppcheck --quiet --std=c11 --language=c --enable=warning,performance,portability \
	  --inline-suppr --error-exitcode=1 -j $(JOBS) -D_GNU_SOURCE \
	  -Isrc src

format: ## lay src/ out as .clang-format says
	$(Q)$(CLANG_FORMAT) --style=file -i $(C_FILES)

bench: all ## measure speed (ARGS are passed on)
	$(Q)$(HOST) scripts/bench/run.lua $(ARGS)

bench-explore: all ## measure sync.explore (ARGS are passed on)
	$(Q)$(HOST) scripts/bench/explore.lua $(ARGS)

# -------------------------------------------------------------------- install
# Lua's own search paths begin under /usr/local, whatever Debian's pkg-config
# file says about INSTALL_CMOD.
BINDIR  = $(DESTDIR)$(PREFIX)/bin
CMODDIR = $(DESTDIR)$(PREFIX)/lib/lua/5.4
MANDIR  = $(DESTDIR)$(PREFIX)/share/man/man1
LMODDIR = $(DESTDIR)$(PREFIX)/share/lua/5.4/luasync
DOCDIR  = $(DESTDIR)$(PREFIX)/share/doc/luasync
LIBRARY = $(DESTDIR)$(PREFIX)/share/luasync/library

DOCS := $(BUILD)/docs/luasync.html
PICTURES := $(BUILD)/docs/pictures/made

docs: $(DOCS) ## make the man page, the HTML page and editor annotations in build/docs

# Timelines of the programs in scripts/. Those that README.md shows are in the repository; a spec compares them.
$(PICTURES): scripts/pictures.lua $(HOST)
	$(Q)mkdir -p $(@D) && $(HOST) scripts/pictures.lua $(@D) && touch $@

pictures: $(PICTURES) ## draw the timelines that README.md shows anew
	$(Q)mkdir -p scripts/pictures && cp $(BUILD)/docs/pictures/*.svg scripts/pictures/

# The page is written last; with it the others are there.
$(DOCS): scripts/docs.lua src/module/luasync.h $(PICTURES) $(EMBEDDED) $(BUILD)/flags
	@$(NEEDS_LUA)
	$(call say,DOCS,$(@D))
	$(Q)mkdir -p $(@D)/library/luasync
	$(Q)LUA_PATH='lua/?.lua;;' $(LUA) scripts/docs.lua $(@D)

# Through sudo what has been built is taken as it is: nothing in the tree shall belong to root.
BUILT := $(if $(SUDO_UID),$(if $(wildcard $(HOST)),$(if $(wildcard $(MODULE)),$(wildcard $(DOCS)))))

install_lua = cd lua/luasync && find . -type f -exec install -D -m 644 {} '$(abspath $(1))/{}' \;

# What is read and tried: README.md refers to it.
install_scripts = find scripts/tutorial scripts/examples scripts/puzzles -type f -exec install -D -m 644 {} '$(DOCDIR)/{}' \;

install: $(if $(BUILT),,all) ## install command, module, Lua files and documentation (PREFIX=/usr/local, DESTDIR=)
	$(Q)install -d '$(BINDIR)' '$(CMODDIR)' '$(LMODDIR)' '$(MANDIR)' '$(DOCDIR)' '$(LIBRARY)/luasync'
	$(Q)install -m 755 $(HOST) '$(BINDIR)/luasync'
	$(Q)install -m 644 $(MODULE) '$(CMODDIR)/luasync.so'
	$(Q)$(call install_lua,$(LMODDIR))
	$(Q)install -m 644 $(BUILD)/docs/luasync.1 '$(MANDIR)/luasync.1'
	$(Q)install -m 644 LICENSE README.md CHANGELOG.md $(BUILD)/docs/luasync.html '$(DOCDIR)'
	$(Q)$(install_scripts)
	$(Q)install -m 644 $(BUILD)/docs/library/luasync.lua '$(LIBRARY)'
	$(Q)install -m 644 $(wildcard $(BUILD)/docs/library/luasync/*.lua) '$(LIBRARY)/luasync'
	$(call say,DONE,$(BINDIR)/luasync)

uninstall: ## remove what install put there
	$(Q)rm -f '$(BINDIR)/luasync' '$(CMODDIR)/luasync.so' '$(MANDIR)/luasync.1'
	$(Q)rm -rf '$(LMODDIR)' '$(DOCDIR)' '$(DESTDIR)$(PREFIX)/share/luasync'

# For the rockspec: the module alone. LuaRocks says where it goes.
rock: $(MODULE)

install-rock:
	$(Q)install -d '$(INST_LIBDIR)' '$(INST_LUADIR)/luasync'
	$(Q)install -m 755 $(MODULE) '$(INST_LIBDIR)/luasync.so'
	$(Q)$(call install_lua,$(INST_LUADIR)/luasync)

clean: ## remove the build folder
	$(Q)rm -rf $(BUILD)

help: ## this list
	@echo 'usage: make [target] [V=1] [WERROR=1] [SANITIZE=address|undefined|thread] [BUILD=dir]'
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  %-10s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))
