package kernel

import (
	"os"
	"syscall"
	"testing"
	"unsafe"
)

// guarded is a slice of NaNs between two pages that nobody may touch: it ends where the second begins, or, if atStart, it
// begins where the first ends. A read or write on the wrong side ends the test program.
func guarded(t testing.TB, n int, atStart bool) []float32 {
	page := os.Getpagesize()
	size := (4*n + page - 1) / page * page
	region, err := syscall.Mmap(-1, 0, size+2*page, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := syscall.Munmap(region); err != nil {
			t.Error(err)
		}
	})
	for _, guard := range [][]byte{region[:page], region[page+size:]} {
		if err := syscall.Mprotect(guard, syscall.PROT_NONE); err != nil {
			t.Fatal(err)
		}
	}
	if n == 0 {
		return nil
	}
	first := &region[page+size-4*n]
	if atStart {
		first = &region[page]
	}
	x := unsafe.Slice((*float32)(unsafe.Pointer(first)), n)
	for i := range x {
		x[i] = nan
	}
	return x
}
