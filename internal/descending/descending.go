// Package descending sorts float32 values from the highest down, by whole numbers: keys that go with slices.Sort and carry where each value was.
package descending

import "math"

// Key sorts before the keys of lower values, and of equal ones that come later; 0 and -0 are equal. Its lower half is the index.
func Key(value float32, index int) uint64 {
	bits := math.Float32bits(value + 0) // -0 + 0 is 0
	if bits>>31 == 1 {
		bits = ^bits
	} else {
		bits |= 1 << 31
	}
	return uint64(^bits)<<32 | uint64(uint32(index))
}

// Index is that of a key.
func Index(key uint64) int { return int(uint32(key)) }
