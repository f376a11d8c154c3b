/*
** The floors of `make bench`: what the machine, or Lua itself, charges for the same work without
** luasync. run.lua compiles this file and runs it in turn with the measured side, one process per
** figure, so that both meet the same noise.
**
**   floor call N        N empty method calls from Lua                        ns
**   floor call2 N       N pairs of them                                      ns
**   floor job N         the job table built and deep-copied in one state     ns
**   floor roundtrip N   ping-pong over two sem_t between two pthreads        us
**   floor mutex T MS    T pthreads with a state each fight for one mutex     rate share
**   floor spawn N       pthread + newstate + openlibs + close, joined        us
**   floor blocked N     N pthreads with a state each wait for one condition  kib start wake
**   floor memcpy N      1 MiB copied twice, N times                          gbs
**   floor scale F W N   function W(N) of Lua file F, one thread against two  x
**   floor exec N PROG…  start PROG and wait for its end, median of N         ms
**
** Results go to stdout as `name=value`.
*/
#define _GNU_SOURCE
#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#include <pthread.h>
#include <semaphore.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void die(const char *what) {
  fprintf(stderr, "floor: %s\n", what);
  exit(1);
}

static double resident_kib(void) {
  long total, resident = 0;
  FILE *f = fopen("/proc/self/statm", "r");
  if (!f || fscanf(f, "%ld %ld", &total, &resident) != 2) die("cannot read /proc/self/statm");
  fclose(f);
  return (double)resident * (double)sysconf(_SC_PAGESIZE) / 1024;
}

static void start_thread(pthread_t *t, void *(*fn)(void *), void *arg) {
  pthread_attr_t attr;
  pthread_attr_init(&attr);
  pthread_attr_setstacksize(&attr, 512 * 1024); /* nested gsub dies on less */
  if (pthread_create(t, &attr, fn, arg)) die("cannot create a thread");
  pthread_attr_destroy(&attr);
}

/* ---- a userdata; methods check self the cheapest way: its metatable against upvalue 1 ---- */

typedef struct {
  pthread_mutex_t *mu;
} Handle;

static Handle *check_handle(lua_State *L) {
  Handle *h = lua_touserdata(L, 1);
  if (!h || !lua_getmetatable(L, 1) || !lua_rawequal(L, -1, lua_upvalueindex(1)))
    luaL_typeerror(L, 1, "handle");
  lua_pop(L, 1);
  return h;
}

static int handle_noop(lua_State *L) {
  check_handle(L);
  return 0;
}

static int handle_acquire(lua_State *L) {
  pthread_mutex_lock(check_handle(L)->mu);
  return 0;
}

static int handle_release(lua_State *L) {
  pthread_mutex_unlock(check_handle(L)->mu);
  return 0;
}

/* [] -> [userdata]. Methods sit in a table under __index, as they do in luasync. */
static void push_handle(lua_State *L, pthread_mutex_t *mu) {
  static const luaL_Reg methods[] = {{"noop", handle_noop},
                                     {"acquire", handle_acquire},
                                     {"release", handle_release},
                                     {NULL, NULL}};
  Handle *h = lua_newuserdatauv(L, sizeof *h, 0);
  h->mu = mu;
  lua_newtable(L);                /* handle mt */
  luaL_newlibtable(L, methods);   /* handle mt index */
  lua_pushvalue(L, -2);           /* handle mt index mt */
  luaL_setfuncs(L, methods, 1);   /* handle mt index */
  lua_setfield(L, -2, "__index"); /* handle mt */
  lua_setmetatable(L, -2);        /* handle */
}

static lua_State *new_state(void) {
  lua_State *L = luaL_newstate();
  if (!L) die("not enough memory");
  luaL_openlibs(L);
  return L;
}

/* [fn args] -> [results], errors end the program */
static void call(lua_State *L, int nargs, int nresults) {
  if (lua_pcall(L, nargs, nresults, 0)) die(lua_tostring(L, -1));
}

static void load(lua_State *L, const char *code) {
  if (luaL_loadstring(L, code)) die(lua_tostring(L, -1));
}

/* ---- call, call2: the loop is part of the floor, as it is of the measured side ---- */

static void run_calls(const char *code, lua_Integer n) {
  lua_State *L = new_state();
  load(L, code);
  push_handle(L, NULL);
  lua_pushinteger(L, n);
  double t = now();
  call(L, 2, 0);
  printf("ns=%.3f\n", (now() - t) / (double)n * 1e9);
  lua_close(L);
}

static void floor_call(char **argv) {
  run_calls("local u, n = ... for _ = 1, n do u:noop() end", atoll(argv[0]));
}

static void floor_call2(char **argv) {
  run_calls("local u, n = ... for _ = 1, n do u:noop() u:noop() end", atoll(argv[0]));
}

/*
** ---- job: a copy without any of what sending needs: no memory of shared tables, no buffer, no
*lock
*/

/* [] -> [copy of the table at absolute index `from`] */
static void push_copy(lua_State *L, int from) {
  luaL_checkstack(L, 6, NULL);
  lua_newtable(L); /* copy */
  int to = lua_gettop(L);
  lua_pushnil(L);
  while (lua_next(L, from)) { /* copy key value */
    lua_pushvalue(L, -2);
    if (lua_istable(L, -2))
      push_copy(L, lua_absindex(L, -2));
    else
      lua_pushvalue(L, -2);
    lua_rawset(L, to); /* copy key value */
    lua_pop(L, 1);
  }
}

static int deep_copy(lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  push_copy(L, 1);
  return 1;
}

static void floor_job(char **argv) {
  lua_Integer n = atoll(argv[0]);
  lua_State *L = new_state();
  load(L, "local copy, n = ... for i = 1, n do copy{ id = i, name = 'job', x = 1.5, tags = { 'a', "
          "'b' } } end");
  lua_pushcfunction(L, deep_copy);
  lua_pushinteger(L, n);
  double t = now();
  call(L, 2, 0);
  printf("ns=%.3f\n", (now() - t) / (double)n * 1e9);
  lua_close(L);
}

/* ---- roundtrip: what two threads pay to wake each other, no Lua at all ---- */

typedef struct {
  sem_t ping, pong;
  long n; /* const after init */
} Rally;

static void *rally_answer(void *arg) {
  Rally *r = arg;
  for (long i = 0; i < r->n; i++) {
    sem_wait(&r->ping);
    sem_post(&r->pong);
  }
  return NULL;
}

static void floor_roundtrip(char **argv) {
  Rally r;
  pthread_t other;
  sem_init(&r.ping, 0, 0);
  sem_init(&r.pong, 0, 0);
  r.n = atol(argv[0]);
  start_thread(&other, rally_answer, &r);
  double t = now();
  for (long i = 0; i < r.n; i++) {
    sem_post(&r.ping);
    sem_wait(&r.pong);
  }
  printf("us=%.3f\n", (now() - t) / (double)r.n * 1e6);
  pthread_join(other, NULL);
}

/* ---- mutex: one pthread mutex, locked by C functions that Lua calls, a state per thread ---- */

typedef struct {
  pthread_mutex_t *mu;
  double from, to;  /* const after init: all begin and end at the same moment */
  lua_Integer done; /* written by its thread, read after join */
} Fighter;

static int lua_now(lua_State *L) {
  lua_pushnumber(L, now());
  return 1;
}

static void sleep_until(double when) {
  struct timespec t;
  t.tv_sec = (time_t)when;
  t.tv_nsec = (long)((when - (double)t.tv_sec) * 1e9);
  clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL);
}

static void *fight(void *arg) {
  Fighter *f = arg;
  lua_State *L = new_state();
  load(L, "local l, now, to = ... local n = 0 "
          "repeat for _ = 1, 100 do l:acquire() l:release() end n = n + 100 until now() >= to "
          "return n");
  push_handle(L, f->mu);
  lua_pushcfunction(L, lua_now);
  lua_pushnumber(L, f->to);
  sleep_until(f->from);
  call(L, 3, 1);
  f->done = lua_tointeger(L, -1);
  lua_close(L);
  return NULL;
}

static void floor_mutex(char **argv) {
  int threads = atoi(argv[0]);
  double seconds = atof(argv[1]) / 1000;
  pthread_mutex_t mu = PTHREAD_MUTEX_INITIALIZER;
  pthread_t id[64];
  Fighter f[64];
  lua_Integer sum = 0, least = 0;
  if (threads < 1 || threads > 64) die("1 to 64 threads");
  double from = now() + 0.02;
  for (int i = 0; i < threads; i++) {
    f[i] = (Fighter){&mu, from, from + seconds, 0};
    start_thread(&id[i], fight, &f[i]);
  }
  for (int i = 0; i < threads; i++) {
    pthread_join(id[i], NULL);
    sum += f[i].done;
    if (i == 0 || f[i].done < least) least = f[i].done;
  }
  printf("rate=%.4f\nshare=%.4f\n", (double)sum / seconds / 1e6,
         (double)least * threads / (double)sum);
}

/* ---- spawn: a thread as every other library makes it ---- */

static void *live_and_die(void *arg) {
  lua_close(new_state());
  return arg;
}

static void floor_spawn(char **argv) {
  long n = atol(argv[0]);
  double t = now();
  for (long i = 0; i < n; i++) {
    pthread_t id;
    start_thread(&id, live_and_die, NULL);
    pthread_join(id, NULL);
  }
  printf("us=%.3f\n", (now() - t) / (double)n * 1e6);
}

/* ---- blocked: bare pthreads, a state with libraries in each, asleep on one condition ---- */

typedef struct {
  pthread_mutex_t mu;
  pthread_cond_t set;
  int is_set; /* under mu */
  sem_t ready;
} Gate;

static void *wait_at_gate(void *arg) {
  Gate *g = arg;
  lua_State *L = new_state();
  sem_post(&g->ready);
  pthread_mutex_lock(&g->mu);
  while (!g->is_set) pthread_cond_wait(&g->set, &g->mu);
  pthread_mutex_unlock(&g->mu);
  lua_close(L);
  return NULL;
}

static void open_gate(Gate *g) {
  pthread_mutex_lock(&g->mu);
  g->is_set = 1;
  pthread_mutex_unlock(&g->mu);
  pthread_cond_broadcast(&g->set);
}

static void floor_blocked(char **argv) {
  long n = atol(argv[0]);
  Gate g = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0, {{0}}};
  pthread_t *id = malloc((size_t)n * sizeof *id);
  if (!id) die("not enough memory");
  sem_init(&g.ready, 0, 0);
  double before = resident_kib(), t = now();
  for (long i = 0; i < n; i++) start_thread(&id[i], wait_at_gate, &g);
  for (long i = 0; i < n; i++) sem_wait(&g.ready);
  printf("start=%.4f\n", now() - t);
  sleep_until(now() + 0.2); /* let the last ones reach the condition */
  printf("kib=%.3f\n", (resident_kib() - before) / (double)n);
  t = now();
  open_gate(&g);
  for (long i = 0; i < n; i++) pthread_join(id[i], NULL);
  printf("wake=%.4f\n", now() - t);
  free(id);
}

/*
** ---- memcpy: a string must be copied out of one state and into another, so two copies are the
** least. Each copy goes to the next of RING places: a queue's buffers and the receiver's strings
*are
** not the same, cache-hot megabyte every time either.
*/

static void floor_memcpy(char **argv) {
  enum { SIZE = 1 << 20, RING = 8 };
  long n = atol(argv[0]);
  char *from = malloc(SIZE), *queued = malloc(RING * SIZE), *to = malloc(RING * SIZE);
  if (!from || !queued || !to) die("not enough memory");
  memset(from, 'x', SIZE);
  memset(queued, 0, RING * SIZE); /* touch every page before the clock starts */
  memset(to, 0, RING * SIZE);
  double t = now();
  for (long i = 0; i < n; i++) {
    char *q = queued + i % RING * SIZE, *s = to + i % RING * SIZE;
    memcpy(q, from, SIZE);
    __asm__ volatile("" ::"r"(q) : "memory"); /* no copy may be dropped or joined */
    memcpy(s, q, SIZE);
    __asm__ volatile("" ::"r"(s) : "memory");
  }
  printf("gbs=%.4f\n", (double)n * SIZE / (now() - t) / 1e9);
  free(from), free(queued), free(to);
}

/* ---- scale: what this machine grants two threads right now, luasync aside ---- */

typedef struct {
  const char *file, *name;
  lua_Integer n;
} Work;

static void *do_work(void *arg) {
  Work *w = arg;
  lua_State *L = new_state();
  if (luaL_loadfile(L, w->file)) die(lua_tostring(L, -1));
  call(L, 0, 1); /* table of functions */
  lua_getfield(L, -1, w->name);
  lua_pushinteger(L, w->n);
  call(L, 1, 0);
  lua_close(L);
  return NULL;
}

static double time_work(Work *w, int threads) {
  pthread_t id[2];
  double t = now();
  for (int i = 0; i < threads; i++) start_thread(&id[i], do_work, w);
  for (int i = 0; i < threads; i++) pthread_join(id[i], NULL);
  return now() - t;
}

static void floor_scale(char **argv) {
  Work w = {argv[0], argv[1], atoll(argv[2]) / 4};
  time_work(
      &w, 2); /* a smaller turn first: the first pages of a process cost more than all later ones */
  w.n = atoll(argv[2]);
  double before = time_work(&w, 1), both = time_work(&w, 2), after = time_work(&w, 1);
  printf("x=%.4f\n", (before + after) / both);
}

/*
** ---- exec: a program from start to end, seen from its parent; the median of many, since a start
*is
** short and noise is not
*/

static int by_value(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static void floor_exec(char **argv) {
  int n = atoi(argv[0]);
  double ms[1000];
  if (n < 1 || n > 1000) die("1 to 1000 starts");
  for (int i = 0; i < n; i++) {
    pid_t pid;
    int status;
    double t = now();
    if (posix_spawnp(&pid, argv[1], NULL, NULL, argv + 1, environ)) die("cannot start the program");
    if (waitpid(pid, &status, 0) != pid || status != 0) die("the program failed");
    ms[i] = (now() - t) * 1e3;
  }
  qsort(ms, (size_t)n, sizeof *ms, by_value);
  printf("ms=%.4f\n", ms[n / 2]);
}

static const struct {
  const char *name;
  int least; /* arguments it needs */
  void (*run)(char **argv);
} floors[] = {{"call", 1, floor_call},       {"call2", 1, floor_call2},
              {"job", 1, floor_job},         {"roundtrip", 1, floor_roundtrip},
              {"mutex", 2, floor_mutex},     {"spawn", 1, floor_spawn},
              {"blocked", 1, floor_blocked}, {"memcpy", 1, floor_memcpy},
              {"scale", 3, floor_scale},     {"exec", 2, floor_exec}};

int main(int argc, char **argv) {
  for (size_t i = 0; argc > 1 && i < sizeof floors / sizeof *floors; i++) {
    if (strcmp(argv[1], floors[i].name) != 0) continue;
    if (argc - 2 < floors[i].least) die("too few arguments");
    floors[i].run(argv + 2);
    return 0;
  }
  die("unknown floor");
}
