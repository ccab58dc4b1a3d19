package main

import "testing"

// TestPercentOf: small heaps and those full of pointers grow as Go has it, large ones of weights by 32 MiB, very large ones by a twentieth.
func TestPercentOf(t *testing.T) {
	const mb = 1 << 20
	for _, c := range []struct {
		live, pointers uint64
		want           int
	}{{0, 0, 100}, {4 * mb, 1 * mb, 100}, {32 * mb, 0, 100}, {64 * mb, 0, 50}, {128 * mb, 0, 25}, {512 * mb, 480 * mb, 100}, {1024 * mb, 224 * mb, 25}, {10240 * mb, 0, 5}} {
		if got := percentOf(c.live, c.pointers); got != c.want {
			t.Errorf("a heap of %d bytes, %d with pointers, may grow by %d %%, want %d %%", c.live, c.pointers, got, c.want)
		}
	}
}
