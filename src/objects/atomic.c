/*
** atomic.c - Atomic: one number that threads change without a lock of their own.
**
** It keeps whether it is an integer or a float, and adds as Lua does: integers
** wrap around, anything with a float is a float. Number and subtype must change
** together, so a mutex guards the two; it is held for a few instructions.
*/
#include <stdio.h>
#include <string.h>

#include "objects/kinds.h"
#include "world/record.h"
#include "world/world.h"

typedef struct Number {
  union {
    lua_Integer integer;
    lua_Number number;
  } u;
  bool is_integer;
} Number;

typedef struct Atomic {
  Object object;
  pthread_mutex_t mu;
  Number value; /* under mu */
} Atomic;

static Number check_number (lua_State *L, int arg) {
  Number n;
  luaL_checktype(L, arg, LUA_TNUMBER);
  n.is_integer = lua_isinteger(L, arg);
  if (n.is_integer) n.u.integer = lua_tointeger(L, arg);
  else n.u.number = lua_tonumber(L, arg);
  return n;
}

static void push_number (lua_State *L, Number n) {
  if (n.is_integer) lua_pushinteger(L, n.u.integer);
  else lua_pushnumber(L, n.u.number);
}

static lua_Number as_float (Number n) {
  return n.is_integer ? (lua_Number)n.u.integer : n.u.number;
}

static Number add (Number a, Number b) {
  Number sum;
  sum.is_integer = a.is_integer && b.is_integer;
  if (sum.is_integer)
    sum.u.integer = (lua_Integer)((lua_Unsigned)a.u.integer + (lua_Unsigned)b.u.integer);
  else sum.u.number = as_float(a) + as_float(b);
  return sum;
}

/* Lua's equality, which is exact: 2^53 + 1 does not equal 2.0^53. */
static bool equal (Number a, Number b) {
  lua_Integer i;
  if (a.is_integer && b.is_integer) return a.u.integer == b.u.integer;
  if (!a.is_integer && !b.is_integer) return a.u.number == b.u.number;
  if (b.is_integer) return equal(b, a);
  return lua_numbertointeger(b.u.number, &i) && (lua_Number)i == b.u.number && i == a.u.integer;
}

/* Says that a call left the number so; under mu, so that the calls stand in their order. */
static void record_number (OpKind op, Atomic *a, bool done) {
  char text[48];
  size_t length;
  if (!record_is_on()) return;
  if (a->value.is_integer) length = record_integer(a->value.u.integer, text);
  else
    length = (size_t)snprintf(text, sizeof text, LUA_NUMBER_FMT, (LUAI_UACNUMBER)a->value.u.number);
  record_text(RECORD_OP, op, a, done, 0, text, length);
}

static int get (lua_State *L) {
  Atomic *a = object_check(L, 1, &atomic_kind);
  Number value;
  announce(L, OP_READ, a);
  pthread_mutex_lock(&a->mu);
  value = a->value;
  record_number(OP_READ, a, true);
  pthread_mutex_unlock(&a->mu);
  push_number(L, value);
  return 1;
}

/* Puts a number in the place of the old one, which it returns. */
static Number replace (lua_State *L, OpKind kind) {
  Atomic *a = object_check(L, 1, &atomic_kind);
  Number value = check_number(L, 2), old;
  announce(L, kind, a);
  pthread_mutex_lock(&a->mu);
  old = a->value;
  a->value = value;
  record_number(kind, a, true);
  pthread_mutex_unlock(&a->mu);
  return old;
}

static int set (lua_State *L) {
  replace(L, OP_WRITE);
  return 0;
}

static int exchange (lua_State *L) {
  push_number(L, replace(L, OP_UPDATE));
  return 1;
}

/* add(n): the new value. */
static int add_to (lua_State *L) {
  Atomic *a = object_check(L, 1, &atomic_kind);
  Number n = check_number(L, 2), sum;
  announce(L, OP_UPDATE, a);
  pthread_mutex_lock(&a->mu);
  sum = a->value = add(a->value, n);
  record_number(OP_UPDATE, a, true);
  pthread_mutex_unlock(&a->mu);
  push_number(L, sum);
  return 1;
}

/* compare_exchange(old, new): whether the value was equal to old, and so is new now. */
static int compare_exchange (lua_State *L) {
  Atomic *a = object_check(L, 1, &atomic_kind);
  Number old = check_number(L, 2), new = check_number(L, 3);
  bool same;
  announce(L, OP_UPDATE, a);
  pthread_mutex_lock(&a->mu);
  same = equal(a->value, old);
  if (same) a->value = new;
  record_number(OP_UPDATE, a, same);
  pthread_mutex_unlock(&a->mu);
  lua_pushboolean(L, same);
  return 1;
}

static void describe (lua_State *L, Object *o) {
  Atomic *a = (Atomic *)o;
  Number value;
  pthread_mutex_lock(&a->mu);
  value = a->value;
  pthread_mutex_unlock(&a->mu);
  push_number(L, value);
  lua_tostring(L, -1); /* turns it into a string, in Lua's own format */
}

static void destroy (Object *o) { pthread_mutex_destroy(&((Atomic *)o)->mu); }

static const luaL_Reg atomic_methods[] = {{"get", get},
                                          {"set", set},
                                          {"add", add_to},
                                          {"exchange", exchange},
                                          {"compare_exchange", compare_exchange},
                                          {NULL, NULL}};

static void tidy (Object *o) {
  Atomic *a = (Atomic *)o;
  Number value = a->value;
  memset(&a->value, 0, sizeof a->value);
  a->value.u.integer = value.u.integer; /* all bytes of either */
  a->value.is_integer = value.is_integer;
}

const Kind atomic_kind = {.name = "Atomic",
                          .destroy = destroy,
                          .describe = describe,
                          .methods = atomic_methods,
                          .tidy = tidy};

/* Atomic([n=0 [, { name = … }]]) */
int atomic_new (lua_State *L) {
  int before;
  int options = object_options(L, 2, &before);
  Number value = {.is_integer = true};
  Atomic *a;
  if (before > 0 && !lua_isnil(L, 1)) value = check_number(L, 1);
  a = object_new(L, sizeof *a, &atomic_kind, options);
  pthread_mutex_init(&a->mu, NULL);
  a->value = value;
  return 1;
}
