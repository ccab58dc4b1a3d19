package backend

import (
	"os"
	"path/filepath"
	"reflect"
	"testing"
)

// touch makes files below a directory, and returns it.
func touch(t *testing.T, names ...string) string {
	dir := t.TempDir()
	for _, name := range names {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// TestPluginsIn finds plug-ins by their files' names, in directories and named themselves, each name once.
func TestPluginsIn(t *testing.T) {
	a := touch(t, "pjrt_c_api_cpu_v0.83.1_plugin.so", "libcudart.so.12", "pjrt-plugin-tpu.so", "nvidia/x.so")
	b := touch(t, "site-packages/jax_plugins/xla_cuda12/xla_cuda_plugin.so", "pjrt-plugin-tpu.so", "pjrt_c_api_cuda_plugin.so")
	jax := filepath.Join(b, "site-packages/jax_plugins/xla_cuda12")
	tpu, cpu, cuda := Plugin{"tpu", filepath.Join(a, "pjrt-plugin-tpu.so")}, Plugin{"cpu_v0.83.1", filepath.Join(a, "pjrt_c_api_cpu_v0.83.1_plugin.so")}, Plugin{"cuda", filepath.Join(jax, "xla_cuda_plugin.so")}
	for _, c := range []struct {
		places []string
		want   []Plugin
	}{
		{[]string{filepath.Join(a, "none")}, nil},
		{[]string{a, jax, b}, []Plugin{tpu, cpu, cuda}},
		{[]string{cuda.File, a}, []Plugin{cuda, tpu, cpu}},
		{[]string{filepath.Join(a, "libcudart.so.12"), filepath.Join(a, "nvidia")}, nil},
	} {
		if got := pluginsIn(c.places); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%v: found %v, want %v", c.places, got, c.want)
		}
	}
	all := []Plugin{tpu, cpu, cuda}
	for name, want := range map[string]Plugin{"": cuda, "cpu": cpu, "cpu_v0.83.1": cpu, "tpu": tpu, "rocm": {}} {
		if got, ok := choosePlugin(all, name); got != want || ok != (want != Plugin{}) {
			t.Errorf("%q: found %v, %v, want %v", name, got, ok, want)
		}
	}
	if got, _ := choosePlugin(all[:1], ""); got != tpu {
		t.Errorf("of one: found %v", got)
	}
	if _, ok := choosePlugin(nil, ""); ok {
		t.Error("chose one of none")
	}
}

func TestPluginPlaces(t *testing.T) {
	t.Setenv(PluginPath, "/a:"+":/b/xla_cuda_plugin.so")
	if got, want := pluginPlaces(), []string{"/a", "/b/xla_cuda_plugin.so"}; !reflect.DeepEqual(got, want) {
		t.Errorf("found %v, want %v", got, want)
	}
	os.Unsetenv(PluginPath)
	t.Setenv("HOME", "/home/someone")
	if got := pluginPlaces(); len(got) != 4 || got[0] != "/home/someone/.local/lib/go-xla" {
		t.Errorf("found %v", got)
	}
}

// TestJAXNVIDIA: NVIDIA's compiler lies beside JAX's plug-ins, under a name that depends on CUDA's version.
func TestJAXNVIDIA(t *testing.T) {
	for _, name := range []string{"cuda_nvcc", "cu13"} {
		dir := touch(t, "jax_plugins/xla_cuda/xla_cuda_plugin.so", "nvidia/"+name+"/bin/ptxas")
		if got, want := jaxNVIDIA(filepath.Join(dir, "jax_plugins/xla_cuda/xla_cuda_plugin.so")), filepath.Join(dir, "nvidia", name); got != want {
			t.Errorf("found %q, want %q", got, want)
		}
	}
	dir := touch(t, "jax_plugins/xla_cuda/xla_cuda_plugin.so", "go-xla/pjrt_c_api_cuda_plugin.so", "nvidia/x")
	for _, file := range []string{"jax_plugins/xla_cuda/xla_cuda_plugin.so", "go-xla/pjrt_c_api_cuda_plugin.so"} {
		if got := jaxNVIDIA(filepath.Join(dir, file)); got != "" {
			t.Errorf("%s: found %q, want none", file, got)
		}
	}
}
