package kernel

import "unsafe"

// Aligned is n zeros that begin on a cache line, on large pages where there are any.
func Aligned(n int) []float32 {
	const line = 64
	x := make([]float32, n+line/4)
	hugePages(x)
	skip := (-int(uintptr(unsafe.Pointer(&x[0]))) & (line - 1)) / 4
	return x[skip:][:n:n]
}
