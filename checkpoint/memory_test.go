package checkpoint

import (
	"path/filepath"
	"runtime"
	"testing"
)

// Writing streams and opening maps: neither makes a copy of the weights.
func TestMemory(t *testing.T) {
	const values = 8 << 20 // 32 MB
	big := floats(t, "big", values)
	path := filepath.Join(t.TempDir(), "big.safetensors")
	if got := allocated(func() { write(t, path, big) }); got > 2<<20 {
		t.Errorf("writing %d bytes allocated %d", 4*values, got)
	}
	var f *File
	if got := allocated(func() { f = open(t, path) }); got > 1<<20 {
		t.Errorf("opening %d bytes allocated %d", 4*values, got)
	}
	x, _ := f.Tensor("big")
	view, ok := x.Float32View()
	if !ok {
		t.Fatal("no view")
	}
	if view[values-1] != values {
		t.Errorf("the last element is %v, want %d", view[values-1], values)
	}
}

func allocated(work func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	work()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}
