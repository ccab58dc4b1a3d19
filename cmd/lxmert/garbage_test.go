package main

import "testing"

// TestPercentOf: small heaps grow as Go has it, large ones by 32 MiB, very large ones by a twentieth.
func TestPercentOf(t *testing.T) {
	for live, want := range map[uint64]int{0: 100, 4 << 20: 100, 32 << 20: 100, 64 << 20: 50, 128 << 20: 25, 10 << 30: 5} {
		if got := percentOf(live); got != want {
			t.Errorf("a heap of %d bytes may grow by %d %%, want %d %%", live, got, want)
		}
	}
}
