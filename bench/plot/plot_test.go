package main

import (
	"encoding/xml"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestPlots: runs of the same size give their median, each number is in the picture, and the pictures are well-formed.
func TestPlots(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "runs.jsonl")
	lines := `{"batch":1,"threads":2,"median_ms":30,"per_second":33,"share_of_peak":0.6,"backend":"CPU engine with avx512 kernels on 2 threads"}
{"batch":1,"threads":2,"median_ms":26,"per_second":38,"share_of_peak":0.7,"backend":"CPU engine with avx512 kernels on 2 threads"}
{"batch":1,"threads":1,"median_ms":51,"per_second":19,"share_of_peak":0.8,"backend":"CPU engine with avx512 kernels on 1 threads"}
{"batch":8,"threads":2,"median_ms":345,"per_second":23,"share_of_peak":0.8,"backend":"CPU engine with avx2 kernels on 2 threads"}
`
	if err := os.WriteFile(file, []byte(lines), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := run(file, dir); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string][]string{"latency.svg": {">28<", ">51<", ">345<", ">1 thread<"}, "throughput.svg": {">36<", ">65<", ">80<"}} {
		data, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		for _, w := range want {
			if !strings.Contains(string(data), w) {
				t.Errorf("%s: %q is not in it", name, w)
			}
		}
		for d := xml.NewDecoder(strings.NewReader(string(data))); ; {
			if _, err := d.Token(); err == io.EOF {
				break
			} else if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
		}
	}
	if err := os.WriteFile(file, []byte(lines+"{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := run(file, dir); err == nil || !strings.Contains(err.Error(), "line 5") {
		t.Errorf("got %v", err)
	}
}
