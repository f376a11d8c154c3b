/*
** fibre.c - switching stacks.
**
** On x86-64 the switch is written by hand: six registers, no system call.
** Elsewhere ucontext serves, which asks the kernel to save the signal mask each
** time. The sanitizers are told about every switch.
*/
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "sim/fibre.h"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif
#if defined(__SANITIZE_THREAD__)
#include <sanitizer/tsan_interface.h>
#endif
#if defined(LUASYNC_VALGRIND) /* see Makefile */
#include <valgrind/valgrind.h>
#endif

#define GUARD 4096
#define WIPED 4096 /* bytes */

#if defined(__SANITIZE_ADDRESS__)
static _Thread_local Fibre *left; /* the fibre that switched last, on its way */

/* Tells which stack runs now; an OS thread's own bounds are learnt when it is left. */
static void arrive (void *fake) {
  const void *bottom;
  size_t size;
  __sanitizer_finish_switch_fiber(fake, &bottom, &size);
  if (left->stack == NULL) {
    left->bottom = bottom;
    left->size = size;
  }
}

static void depart (Fibre *from, Fibre *to, void **fake) {
  left = from;
  if (to->stack != NULL) __sanitizer_start_switch_fiber(fake, to->stack, FIBRE_STACK);
  else __sanitizer_start_switch_fiber(fake, to->bottom, to->size);
}

#endif

/*
** The frames of a run that was abandoned have left their red zones behind, and
** stay on the stack of calls that ThreadSanitizer keeps of a fibre.
*/
static void forget_frames (Fibre *f) {
#if defined(__SANITIZE_ADDRESS__)
  __asan_unpoison_memory_region(f->stack + GUARD, FIBRE_STACK - GUARD);
#elif defined(__SANITIZE_THREAD__)
  __tsan_destroy_fiber(f->sanitizer);
  f->sanitizer = __tsan_create_fiber(0);
#else
  (void)f;
#endif
}

bool fibre_init (Fibre *f, void *address) {
  int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK;
  char *stack = MAP_FAILED;
  if (address != NULL)
    stack = mmap(address, FIBRE_STACK, PROT_READ | PROT_WRITE, flags | MAP_FIXED_NOREPLACE, -1, 0);
  if (stack == MAP_FAILED) stack = mmap(NULL, FIBRE_STACK, PROT_READ | PROT_WRITE, flags, -1, 0);
  if (stack == MAP_FAILED) return false;
  mprotect(stack, GUARD, PROT_NONE);
  *f = (Fibre){.stack = stack};
#if defined(__SANITIZE_THREAD__)
  f->sanitizer = __tsan_create_fiber(0);
#elif defined(LUASYNC_VALGRIND)
  f->sanitizer = (void *)(uintptr_t)VALGRIND_STACK_REGISTER(stack + GUARD, stack + FIBRE_STACK);
#endif
  return true;
}

void fibre_free (Fibre *f) {
  if (f->stack == NULL) return;
  forget_frames(f);
  munmap(f->stack, FIBRE_STACK);
  free(f->context);
#if defined(__SANITIZE_THREAD__)
  __tsan_destroy_fiber(f->sanitizer);
#elif defined(LUASYNC_VALGRIND)
  VALGRIND_STACK_DEREGISTER((uintptr_t)f->sanitizer);
#endif
  f->stack = NULL;
}

void fibre_outside (Fibre *f) {
  *f = (Fibre){.stack = NULL};
#if defined(__SANITIZE_THREAD__)
  f->sanitizer = __tsan_get_current_fiber();
#endif
}

#if defined(__x86_64__)

/*
** luasync_switch(&from->sp, to->sp): callee-saved registers on the old stack, then the
** same from the new one.
*/
__asm__(".text\n"
        ".type luasync_switch, @function\n"
        "luasync_switch:\n"
        "  pushq %rbp\n  pushq %rbx\n  pushq %r12\n  pushq %r13\n  pushq %r14\n  pushq %r15\n"
        "  subq $8, %rsp\n  stmxcsr (%rsp)\n  fnstcw 4(%rsp)\n"
        "  movq %rsp, (%rdi)\n"
        "  movq %rsi, %rsp\n"
        "  ldmxcsr (%rsp)\n  fldcw 4(%rsp)\n  addq $8, %rsp\n"
        "  popq %r15\n  popq %r14\n  popq %r13\n  popq %r12\n  popq %rbx\n  popq %rbp\n"
        "  ret\n"
        ".size luasync_switch, . - luasync_switch\n"
        /* the first return on a new stack comes here: r12 holds the fibre */
        ".type luasync_begin, @function\n"
        "luasync_begin:\n"
        "  movq %r12, %rdi\n"
        "  xorl %ebp, %ebp\n"
        "  call *%r13\n"
        "  hlt\n"
        ".size luasync_begin, . - luasync_begin\n");
void luasync_switch (void **from, void *to);
void luasync_begin (void);

static void begin (Fibre *f) {
#if defined(__SANITIZE_ADDRESS__)
  arrive(NULL);
#endif
  f->entry(f->ud);
  abort();
}

void fibre_start (Fibre *f, void (*entry)(void *ud), void *ud) {
  uintptr_t *sp = (uintptr_t *)(f->stack + FIBRE_STACK);
  forget_frames(f);
  f->entry = entry;
  f->ud = ud;
  *--sp = 0; /* the ABI: 16-byte alignment before the call in luasync_begin */
  *--sp = 0;
  *--sp = (uintptr_t)luasync_begin;
  *--sp = 0;                /* rbp */
  *--sp = 0;                /* rbx */
  *--sp = (uintptr_t)f;     /* r12 */
  *--sp = (uintptr_t)begin; /* r13 */
  *--sp = 0;                /* r14 */
  *--sp = 0;                /* r15 */
  *--sp =
      ((uintptr_t)0x037f << 32) | 0x1f80; /* x87 and SSE control words as the C library sets them */
  f->sp = sp;
}

static void jump (Fibre *from, Fibre *to) { luasync_switch(&from->sp, to->sp); }
char *fibre_top (const Fibre *f) { return f->sp; }

void fibre_wipe (Fibre *f) {
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__) && !defined(LUASYNC_VALGRIND)
  memset((char *)f->sp - WIPED, 0, WIPED);
#else
  (void)f;
#endif
}

void fibre_outside_done (Fibre *f) { (void)f; }

#else
#include <ucontext.h>

static void begin (unsigned high, unsigned low) {
  Fibre *f = (Fibre *)(((uintptr_t)high << 16 << 16) | low);
#if defined(__SANITIZE_ADDRESS__)
  arrive(NULL);
#endif
  f->entry(f->ud);
  abort();
}

void fibre_start (Fibre *f, void (*entry)(void *ud), void *ud) {
  ucontext_t *c = f->context != NULL ? f->context : malloc(sizeof *c);
  if (c == NULL) abort();
  forget_frames(f);
  f->context = c;
  f->entry = entry;
  f->ud = ud;
  getcontext(c);
  c->uc_stack.ss_sp = f->stack;
  c->uc_stack.ss_size = FIBRE_STACK;
  c->uc_link = NULL;
  makecontext(c, (void (*)(void))begin, 2, (unsigned)((uintptr_t)f >> 16 >> 16),
              (unsigned)(uintptr_t)f);
}

char *fibre_top (const Fibre *f) {
  (void)f;
  return NULL;
}
void fibre_wipe (Fibre *f) { (void)f; }

static void jump (Fibre *from, Fibre *to) {
  if (from->context == NULL) from->context = malloc(sizeof(ucontext_t));
  if (from->context == NULL) abort();
  swapcontext(from->context, to->context);
}

void fibre_outside_done (Fibre *f) { free(f->context); }

#endif

void fibre_switch (Fibre *from, Fibre *to) {
#if defined(__SANITIZE_THREAD__)
  __tsan_switch_to_fiber(to->sanitizer, 0);
#endif
#if defined(__SANITIZE_ADDRESS__)
  void *fake = NULL;
  depart(from, to, &fake);
  jump(from, to);
  arrive(fake);
#else
  jump(from, to);
#endif
}
