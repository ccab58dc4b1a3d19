package kernel

import (
	"os"
	"syscall"
	"unsafe"
)

// hugePages asks for large pages behind x, which is not yet touched. Weights that stream through once per pass take a
// new small page every 32 rows of a panel; with large ones, products of 20 rows gain about 3 %. It is
// advice: where the kernel has none to give, nothing changes.
func hugePages(x []float32) {
	const huge = 2 << 20
	bytes := unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(x))), 4*len(x))
	page := os.Getpagesize()
	skip := -int(uintptr(unsafe.Pointer(unsafe.SliceData(bytes)))) & (page - 1)
	if len(bytes) < skip+2*huge {
		return
	}
	bytes = bytes[skip:]
	_ = syscall.Madvise(bytes[:len(bytes)&^(page-1)], syscall.MADV_HUGEPAGE)
}
