package backend

import (
	"io"
	"os"
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
	for name, want := range map[string]string{"tpu": "this program has go, simd", "simd:cores=2": "cores", "simd:threads=0": "threads", "simd:isa=sse": "sse", "go:nonsense": "nonsense"} {
		if _, err := Open(name); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Open(%q): %v, want an error with %q", name, err, want)
		}
	}
	t.Setenv("GOMLX_BACKEND", "none")
	if _, err := Open(""); err == nil || !strings.Contains(err.Error(), "GOMLX_BACKEND") {
		t.Errorf("want an error that names the variable, got %v", err)
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
