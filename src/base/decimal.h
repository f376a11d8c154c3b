/*
** decimal.h - numbers as text, where snprintf would be a large part of what the
** whole costs: a thread's name, a turn of a schedule.
*/
#ifndef BASE_DECIMAL_H
#define BASE_DECIMAL_H

#include <stdint.h>

/*
** Writes the digits of n at `to`, 20 at most, without a zero behind them. Returns
** where they end.
*/
static inline char *decimal_write (char *to, uint64_t n) {
  char digits[20];
  int count = 0;
  do digits[count++] = (char)('0' + n % 10);
  while ((n /= 10) > 0);
  while (count > 0) *to++ = digits[--count];
  return to;
}

#endif
