//go:build xla

package backend

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestXLAWithoutPlugin: the engine is there under one name, and what is missing is said.
func TestXLAWithoutPlugin(t *testing.T) {
	if names := Names(); !slices.Equal(names, []string{"go", "simd", "xla"}) {
		t.Errorf("found engines %v", names)
	}
	empty, broken := t.TempDir(), touch(t, "pjrt_c_api_cpu_plugin.so", "xla_cuda_plugin.so")
	for _, c := range []struct{ path, name, want string }{
		{empty, "xla", PluginPath},
		{empty, "xla:cuda", "docs/gpu.md"},
		{empty, "xla:/none/xla_cuda_plugin.so", "no such file"},
		{broken, "xla:rocm", `found no plug-in "rocm", only cpu`},
		{broken, "xla:cpu", "pjrt_c_api_cpu_plugin.so"},
		{broken, "xla:cuda", "xla_cuda_plugin.so"},
		{broken, "xla:" + filepath.Join(broken, "xla_cuda_plugin.so"), "xla_cuda_plugin.so"},
		{broken, "xla:cuda,cores=3", "cores"},
		{broken, "stablehlo:cuda", "this program has go, simd, xla"},
	} {
		t.Setenv(PluginPath, c.path)
		if _, err := Open(c.name); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: found %v, want an error with %q", c.name, err, c.want)
		}
	}
	t.Setenv(PluginPath, broken)
	if found := Plugins(); len(found) != 2 {
		t.Errorf("found plug-ins %v", found)
	}
}
