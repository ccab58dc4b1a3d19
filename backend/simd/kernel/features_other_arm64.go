//go:build !purego && !linux && !darwin

package kernel

// hasBF16 reports whether the CPU multiplies bfloat16 numbers: this system has no way to tell.
func hasBF16() bool { return false }
