/*
** op.c - the table of operations (see op.h).
*/
#include "world/op.h"

#define ROW(kind, word, needs, flags) [kind] = {word, needs, flags},
const OpInfo op_info[OP_COUNT] = {OP_TABLE(ROW)};
