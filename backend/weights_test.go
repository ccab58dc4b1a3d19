package backend

import (
	"testing"
)

// TestWithWeights names engines that multiply in another type, and refuses those that cannot.
func TestWithWeights(t *testing.T) {
	t.Setenv("GOMLX_BACKEND", "")
	for _, c := range []struct{ name, number, want string }{
		{"", "float32", ""}, {"", "int8", "simd:weights=int8"}, {"simd", "bfloat16", "simd:weights=bfloat16"}, {"simd:threads=1", "int8", "simd:threads=1,weights=int8"}, {"go", "int8", "!"},
	} {
		got, err := WithWeights(c.name, c.number)
		if (err != nil) != (c.want == "!") || err == nil && got != c.want {
			t.Errorf("%q, %s: found %q, %v, want %q", c.name, c.number, got, err, c.want)
		}
		if err != nil {
			continue
		}
		engine, err := Open(got)
		if err != nil {
			t.Error(err)
			continue
		}
		engine.Finalize()
	}
}
