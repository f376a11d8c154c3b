/*
** sim_output.c - what a simulated world prints.
*/
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "real/real_driver.h"
#include "sim/private.h"

#define OUTPUT_MOST ((size_t)256 << 20) /* of a searched world: a loop may print for ever */

static void capture (Sim *sim, const char *text, size_t length) {
  SimReport *r = sim->report;
  if (r->output_length + length > sim->output_capacity) {
    size_t capacity = 2 * sim->output_capacity + length + 256;
    bool too_much = sim->options.policy->searches && r->output_length + length > OUTPUT_MOST;
    char *grown = too_much ? NULL : realloc(r->output, capacity);
    if (too_much) r->text = strdup("more than 256 MB have been printed");
    if (grown == NULL) sim_leave(sim, SIM_NO_MEMORY);
    r->output = grown;
    sim->output_capacity = capacity;
  }
  memcpy(r->output + r->output_length, text, length);
  r->output_length += length;
}

bool sim_write (World *world, int stream, const char *text, size_t length) {
  Sim *sim = sim_of(world);
  FILE *f = stream == 1 ? stdout : stderr;
  if (sim->options.capture) {
    capture(sim, text, length);
    return true;
  }
  if (stream == 2) fflush(stdout); /* both in the order of the run */
  if (real_take_output(stream, text, length)) return true;
  return fwrite(text, 1, length, f) == length;
}
