/*
** sim_files.c - what a simulated world has asked of the outside, and the files
** that it has opened there.
*/
#include <stdlib.h>

#include <lauxlib.h>

#include "sim/private.h"

bool sim_inside (void) {
  return thread_self != NULL && thread_self->object.world->driver == &sim_driver;
}

void sim_opened (void) {
  if (sim_inside()) sim_of(thread_self->object.world)->report->closed = false;
}

void sim_note_library (void) {
  if (sim_inside()) sim_of(thread_self->object.world)->foreign = true;
}

/*
** Files. A fibre that is abandoned closes nothing, so the run keeps account of
** the files that its threads have opened.
*/
struct SimFile {
  SimFile *next;
  FILE *file;
  lua_CFunction close; /* what Lua's library has put there */
  bool is_pipe;
};

/* The library's function that closes `file`, which is forgotten. */
static lua_CFunction forget_file (Sim *sim, FILE *file) {
  lua_CFunction close = NULL;
  for (SimFile **p = &sim->files; close == NULL && *p != NULL;) {
    SimFile *f = *p;
    if (f->file != file) {
      p = &f->next;
      continue;
    }
    close = f->close;
    *p = f->next;
    free(f);
  }
  return close;
}

/*
** In place of the library's function. A search may come back to where the file is open:
** it closes none before its end.
*/
static int close_file (lua_State *L) {
  luaL_Stream *s = luaL_checkudata(L, 1, LUA_FILEHANDLE);
  Sim *sim = sim_of(thread_self->object.world);
  lua_CFunction close;
  if (sim->options.policy->searches) return luaL_fileresult(L, fflush(s->f) == 0, NULL);
  close = forget_file(sim, s->f);
  return close != NULL ? close(L) : 0;
}

void sim_note_file (lua_State *L, int index, bool is_pipe) {
  luaL_Stream *s = luaL_testudata(L, index, LUA_FILEHANDLE);
  Sim *sim;
  SimFile *f;
  if (s == NULL || s->closef == NULL || s->closef == close_file || !sim_inside()) return;
  if (s->f == stdin || s->f == stdout || s->f == stderr || (f = malloc(sizeof *f)) == NULL) return;
  sim = sim_of(thread_self->object.world);
  *f = (SimFile){sim->files, s->f, s->closef, is_pipe};
  sim->files = f;
  s->closef = close_file;
}

void sim_close_files (Sim *sim, SimFile *kept) {
  while (sim->files != kept) {
    SimFile *f = sim->files;
    sim->files = f->next;
    if (f->is_pipe) pclose(f->file);
    else fclose(f->file);
    free(f);
  }
}
