//go:build !purego

package kernel

import "golang.org/x/sys/unix"

// hasBF16 reports whether the CPU multiplies bfloat16 numbers, which x/sys/cpu does not tell.
func hasBF16() bool {
	has, err := unix.SysctlUint32("hw.optional.arm.FEAT_BF16")
	return err == nil && has != 0
}
