/*
** sent.h - what a thread was sent, and what it has made of its copy.
**
** The bytes of a message stay when it has been decoded, as long as they are few: a
** thread that has changed a captured local, a global or a table has changed a copy,
** and a comparison with them tells which. They hold no object alive.
*/
#ifndef MESSAGE_SENT_H
#define MESSAGE_SENT_H

#include <stdbool.h>
#include <stddef.h>
#include <lua.h>

typedef struct Message Message;

#define SENT_FUNCTIONS 32
#define SENT_CHANGES 8
#define SENT_TEXT 40  /* of a value */
#define SENT_PATH 100 /* `list[3].name` behind the name of the variable */

/* A function that came along. */
typedef struct SentFunction {
  const char *source; /* in the message: as lua_Debug has it, but not terminated */
  size_t length;
  int first, last; /* its lines */
} SentFunction;

typedef enum SentRoot { SENT_LOCAL, SENT_GLOBAL, SENT_ARGUMENT } SentRoot;

/* A value that is no longer what was sent. */
typedef struct SentChange {
  SentRoot root;
  int function;                       /* from 0: the one that captures the local */
  int argument;                       /* from 1 */
  char name[SENT_TEXT];               /* of the variable */
  char path[SENT_PATH];               /* what is changed in its table; empty: the variable itself */
  char field[SENT_TEXT];              /* the last name in that, if it is one */
  char was[SENT_TEXT], is[SENT_TEXT]; /* as Lua writes them */
  bool added;                         /* there was nothing */
} SentChange;

typedef struct Sent {
  SentFunction functions[SENT_FUNCTIONS]; /* the first one is the target, if it is a function */
  int function_count;
  SentChange changes[SENT_CHANGES];
  int change_count;
} Sent;

/*
** Takes a message that has been decoded for the last time; NULL: it is not worth keeping,
** and freed. `again`: the state has globals of earlier messages.
*/
Message *message_keep_sent (Message *m, bool again);
/*
** Whether what it brought is worth comparing: the code assigns something, or there is a
** table in it.
*/
bool message_is_watched (const Message *m);

/* Once in each state. [0, 0, memory] */
void message_watch_prepare (lua_State *L);
/*
** Remembers the n values from index `first` on, weakly: they have just been decoded. [0,
** 0, memory]
*/
void message_watch (lua_State *L, int first, int n);
/* Pushes the value remembered as number i, from 0, if it is still there. [0, +(0|1), -] */
bool message_push_watched (lua_State *L, int i);
/* Compares with what has become of them. [0, 0, memory] */
void message_compare (lua_State *L, const Message *m, Sent *out);
/* Only the functions. [no Lua] */
void message_functions (const Message *m, Sent *out);

#endif
