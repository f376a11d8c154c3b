/*
** bytecode.c - which globals and fields dumped code names.
**
** `x` as a global is _ENV.x: an instruction GETTABUP or SETTABUP with an
** upvalue and a constant. Which upvalues hold the globals is known of the
** outermost function; an inner one takes them from its parent, as its list of
** upvalues says. Code that fetches _ENV itself (a function with more than 255
** constants does, or one that says `_ENV[name]`), or that names `_G`, may use
** any of its strings as a name, so there all of them count.
**
** A field is what GETFIELD and SELF get, and what GETTABUP gets of any other
** upvalue. In a function with more constants than fit into an instruction all
** strings count.
**
** On the way it is seen whether the code assigns what it has from outside: a captured
** local, a global, a field of a captured table.
**
** The format is that of Lua 5.4 as lua_dump writes it on this machine. Anything
** else, or an end too early, ends the search: no names, no harm.
*/
#include "message/private.h"

#define OP_GETUPVAL 9
#define OP_SETUPVAL 10
#define OP_GETTABUP 11
#define OP_GETFIELD 14
#define OP_SETTABUP 15
#define OP_SELF 20
#define DEEPEST 200

enum {
  CONSTANT_INTEGER = 0x03,
  CONSTANT_FLOAT = 0x13,
  CONSTANT_SHORT = 0x04,
  CONSTANT_LONG = 0x14
};

typedef struct BytecodeReader {
  const unsigned char *p, *end;
  bool bad;
  bool fields;      /* they are asked for, not globals */
  unsigned assigns; /* WATCH_… */
  void (*found)(void *ud, const char *name, size_t length);
  void *ud;
} BytecodeReader;

/* Goes n bytes on; returns where they begin, NULL if there are not so many. */
static const unsigned char *skip (BytecodeReader *r, size_t n) {
  const unsigned char *p = r->p;
  if (r->bad || (size_t)(r->end - p) < n) {
    r->bad = true;
    return NULL;
  }
  r->p += n;
  return p;
}

static unsigned read_byte (BytecodeReader *r) {
  const unsigned char *p = skip(r, 1);
  return p != NULL ? *p : 0;
}

/* Seven bits a byte, the last one marked. */
static size_t read_size (BytecodeReader *r) {
  size_t x = 0;
  unsigned byte;
  do {
    byte = read_byte(r);
    x = x << 7 | (byte & 0x7f);
  } while (!(byte & 0x80) && !r->bad);
  return r->bad ? 0 : x;
}

/* A string, its length in *length; NULL: none. */
static const char *read_string (BytecodeReader *r, size_t *length) {
  size_t size = read_size(r);
  *length = size > 0 ? size - 1 : 0;
  return size > 0 ? (const char *)skip(r, *length) : NULL;
}

/* The next constant, if it is a string. */
static const char *read_constant (BytecodeReader *r, size_t *length) {
  switch (read_byte(r)) {
    case CONSTANT_INTEGER:
    case CONSTANT_FLOAT: skip(r, 8); return NULL;
    case CONSTANT_SHORT:
    case CONSTANT_LONG: return read_string(r, length);
    default: return NULL;
  }
}

static bool has (const uint32_t set[8], unsigned i) { return (set[i / 32] >> i % 32) & 1; }
static void put (uint32_t set[8], unsigned i) { set[i / 32] |= UINT32_C(1) << i % 32; }

/*
** Marks in `used` the constants that the code uses as names of globals. Returns whether
** any string may be one.
*/
static bool scan_code (BytecodeReader *r, const unsigned char *code, size_t n,
                       const uint32_t env[8], uint32_t used[8]) {
  bool any = false;
  for (size_t i = 0; i < n; i++) {
    uint32_t instruction = get32(code + 4 * i);
    unsigned a = instruction >> 7 & 255, b = instruction >> 16 & 255, c = instruction >> 24;
    switch (instruction & 127) {
      case OP_GETTABUP:
        if (has(env, b)) put(used, c);
        break;
      case OP_SETTABUP:
        if (has(env, a)) put(used, b);
        r->assigns |= has(env, a) ? WATCH_GLOBALS : WATCH_TABLES;
        break;
      case OP_SETUPVAL: r->assigns |= WATCH_LOCALS; break;
      case OP_GETUPVAL:
        any = any || has(env, b);
        if (any) r->assigns |= WATCH_GLOBALS;
        break;
    }
  }
  return any;
}

static bool identifier (const char *text, size_t length) {
  if (length == 0 || length > 255 || (*text >= '0' && *text <= '9')) return false;
  for (size_t i = 0; i < length; i++) {
    unsigned char c = (unsigned char)text[i];
    bool letter = (c | 32) >= 'a' && (c | 32) <= 'z';
    if (!letter && !(c >= '0' && c <= '9') && c != '_') return false;
  }
  return true;
}

/* Marks in `used` the constants that the code uses as names of fields. */
static void scan_fields (const unsigned char *code, size_t n, const uint32_t env[8],
                         uint32_t used[8]) {
  for (size_t i = 0; i < n; i++) {
    uint32_t instruction = get32(code + 4 * i);
    unsigned b = instruction >> 16 & 255, c = instruction >> 24;
    switch (instruction & 127) {
      case OP_GETTABUP:
        if (!has(env, b)) put(used, c);
        break;
      case OP_GETFIELD:
      case OP_SELF: put(used, c); break;
    }
  }
}

/* Reports the n constants from r->p on that are used, or may be. */
static void report_names (BytecodeReader *r, size_t n, const uint32_t used[8], bool any) {
  BytecodeReader start = *r;
  size_t length;
  const char *text;
  for (size_t i = 0; i < n && i < 256 && !any && !r->bad && !r->fields; i++) {
    text = read_constant(r, &length);
    any = text != NULL && has(used, (unsigned)i) && length == 2 && memcmp(text, "_G", 2) == 0;
  }
  *r = start;
  for (size_t i = 0; i < n && !r->bad; i++) {
    text = read_constant(r, &length);
    if (text == NULL || length > 255) continue;
    if ((i < 256 && has(used, (unsigned)i)) || (any && identifier(text, length)))
      r->found(r->ud, text, length);
  }
}

/* The list of upvalues: marks in `own` those that are the parent's in `env`. */
static void read_upvalues (BytecodeReader *r, const uint32_t env[8], uint32_t own[8]) {
  size_t n = read_size(r);
  memset(own, 0, 8 * sizeof *own);
  for (size_t i = 0; i < n && !r->bad; i++) {
    unsigned in_stack = read_byte(r), index = read_byte(r);
    read_byte(r); /* its kind */
    if (!in_stack && i < 256 && has(env, index)) put(own, (unsigned)i);
  }
}

static void skip_debug (BytecodeReader *r) {
  size_t n, length;
  skip(r, read_size(r)); /* line differences */
  for (n = read_size(r); n > 0 && !r->bad; n--) {
    read_size(r);
    read_size(r);
  }
  for (n = read_size(r); n > 0 && !r->bad; n--) {
    read_string(r, &length);
    read_size(r);
    read_size(r);
  }
  for (n = read_size(r); n > 0 && !r->bad; n--) read_string(r, &length);
}

/* One function; env: upvalues of its parent, or with depth 0 its own, that hold the globals. */
static void read_function (BytecodeReader *r, const uint32_t env[8], int depth) {
  uint32_t own[8], used[8] = {0};
  size_t length, ncode, nconstants, ninner;
  const unsigned char *code;
  BytecodeReader constants;
  read_string(r, &length); /* source */
  read_size(r);
  read_size(r); /* lines */
  skip(r, 3);   /* parameters, vararg, stack size */
  ncode = read_size(r);
  code = ncode <= (size_t)(r->end - r->p) / 4 ? skip(r, ncode * 4) : skip(r, SIZE_MAX);
  nconstants = read_size(r);
  constants = *r;
  for (size_t i = 0; i < nconstants && !r->bad; i++) read_constant(r, &length);
  read_upvalues(r, env, own);
  if (depth == 0) memcpy(own, env, sizeof own);
  if (r->bad || depth > DEEPEST) {
    r->bad = true;
    return;
  }
  if (r->fields) scan_fields(code, ncode, own, used);
  report_names(&constants, nconstants, used,
               r->fields ? nconstants > 256 : scan_code(r, code, ncode, own, used));
  for (ninner = read_size(r); ninner > 0 && !r->bad; ninner--) read_function(r, own, depth + 1);
  skip_debug(r);
}

/* Goes to the outermost function of a dump; false: it is none. */
static bool begin (BytecodeReader *r) {
  static const unsigned char header[] = {0x1b,
                                         'L',
                                         'u',
                                         'a',
                                         0x54,
                                         0,
                                         0x19,
                                         0x93,
                                         '\r',
                                         '\n',
                                         0x1a,
                                         '\n',
                                         4,
                                         sizeof(lua_Integer),
                                         sizeof(lua_Number)};
  if ((size_t)(r->end - r->p) < sizeof header || memcmp(r->p, header, sizeof header) != 0)
    return false;
  skip(r, sizeof header + sizeof(lua_Integer) + sizeof(lua_Number) + 1);
  return !r->bad;
}

unsigned bytecode_names (const unsigned char *dump, size_t length, const uint32_t env[8],
                         bool fields, void (*found)(void *ud, const char *name, size_t length),
                         void *ud) {
  BytecodeReader r = {.p = dump, .end = dump + length, .fields = fields, .found = found, .ud = ud};
  if (begin(&r)) read_function(&r, env, 0);
  return r.assigns;
}

bool bytecode_place (const unsigned char *dump, size_t length, SentFunction *f) {
  BytecodeReader r = {.p = dump, .end = dump + length};
  if (!begin(&r)) return false;
  f->source = read_string(&r, &f->length);
  f->first = (int)read_size(&r);
  f->last = (int)read_size(&r);
  return !r.bad && f->source != NULL;
}

/*
** Parts.
*/

static void read_parts (BytecodeReader *r, const unsigned char *dump, BytecodeParts *parts,
                        BytecodeParts *first, int depth) {
  BytecodeParts other;
  size_t length, n;
  parts->begin = (size_t)(r->p - dump);
  read_string(r, &length); /* source */
  read_size(r);
  read_size(r);                                             /* lines */
  skip(r, 3);                                               /* parameters, vararg, stack size */
  for (n = read_size(r); n > 0 && !r->bad; n--) skip(r, 4); /* code */
  for (n = read_size(r); n > 0 && !r->bad; n--) read_constant(r, &length);
  parts->upvalues = (size_t)(r->p - dump);
  parts->count = n = read_size(r);
  for (; n > 0 && !r->bad; n--) skip(r, 3);
  parts->inner = (size_t)(r->p - dump);
  if (depth > DEEPEST) r->bad = true;
  for (n = read_size(r); n > 0 && !r->bad; n--) {
    read_parts(r, dump, first != NULL ? first : &other, NULL, depth + 1);
    first = NULL;
  }
  if (first != NULL) r->bad = true;
  skip_debug(r);
  parts->end = (size_t)(r->p - dump);
}

bool bytecode_parts (const unsigned char *dump, size_t length, BytecodeParts *outer,
                     BytecodeParts *inner) {
  BytecodeReader r = {.p = dump, .end = dump + length};
  if (begin(&r)) read_parts(&r, dump, outer, inner, 0);
  else r.bad = true;
  return !r.bad && r.p == r.end;
}
