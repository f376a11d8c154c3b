/*
** op.c - the table of operations (see op.h).
*/
#include "world/op.h"

#define ROW(kind, word, needs, flags, order) [kind] = {word, needs, flags, order},
const OpInfo op_info[OP_COUNT] = {OP_TABLE(ROW)};
