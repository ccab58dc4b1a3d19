//go:build !purego

package kernel

func init() { neon.with(bf16Generic, int8Generic, bf16TileGeneric) }
