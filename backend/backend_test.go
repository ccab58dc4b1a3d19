package backend

import (
	"io"
	"os"
	"slices"
	"strings"
	"testing"
)

func TestOpen(t *testing.T) {
	t.Setenv("GOMLX_BACKEND", "")
	for _, name := range []string{"", "go", Default, Portable, "simd:threads=1,isa=generic"} {
		opened, err := Open(name)
		if err != nil {
			t.Fatalf("%q: %v", name, err)
		}
		opened.Finalize()
	}
	for name, want := range map[string]string{"tpu": "this program has go, simd", "stablehlo": "this program has go, simd", "simd:cores=2": "cores", "simd:threads=0": "threads", "simd:isa=sse": "sse", "go:nonsense": "nonsense"} {
		if _, err := Open(name); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Open(%q): %v, want an error with %q", name, err, want)
		}
	}
	t.Setenv("GOMLX_BACKEND", "none")
	if _, err := Open(""); err == nil || !strings.Contains(err.Error(), "GOMLX_BACKEND") {
		t.Errorf("want an error that names the variable, got %v", err)
	}
}

// TestGPUWithoutTheTag: who asks for a GPU of a program without the engine for it is told how it is built.
func TestGPUWithoutTheTag(t *testing.T) {
	if slices.Contains(Names(), XLA) {
		t.Skip("built with the tag xla")
	}
	if _, err := Open("xla:cuda"); err == nil || !strings.Contains(err.Error(), "-tags xla") {
		t.Errorf("found %v, want how to build it", err)
	}
	t.Setenv(PluginPath, touch(t, "pjrt_c_api_cuda_plugin.so"))
	if found := Plugins(); found != nil {
		t.Errorf("found plug-ins %v of an engine that is not there", found)
	}
}

// TestOpenIsSilent: the portable backend prints when it is given a parallelism.
func TestOpenIsSilent(t *testing.T) {
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout := os.Stdout
	os.Stdout = write
	opened, err := Open("go:parallelism=2")
	os.Stdout = stdout
	write.Close()
	if err != nil {
		t.Fatal(err)
	}
	opened.Finalize()
	if printed, _ := io.ReadAll(read); len(printed) > 0 {
		t.Errorf("standard output has %q", printed)
	}
}
