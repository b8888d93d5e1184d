/*
 * fault.h - named points at which test builds can be told to die, fail or pause (SEALPOST_FAULT="name=kill[:N]").
 * Nothing is compiled in without --enable-faults.
 */
#ifndef SP_BASE_FAULT_H
#define SP_BASE_FAULT_H


#ifdef SP_FAULTS
/* Dies with SIGKILL when SEALPOST_FAULT names this point (at the N-th pass, 1 by default). */
void sp_fault(const char *name);
#define SP_FAULT(name) sp_fault(name)
#else
#define SP_FAULT(name) ((void)0)
#endif

#endif
