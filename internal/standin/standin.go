//go:build xla

// Package standin is the engine xla on a machine without a GPU: a plug-in that holds buffers and takes programs, and compiles none, or has them
// give zeros. What it is
// given shows that all that a computation consists of can be said in XLA's language, with shapes that XLA's rules agree to. It is for tests.
package standin

import (
	_ "embed"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/gomlx/compute"

	"github.com/go-lxmert/lxmert/backend"
)

//go:embed testdata/plugin.c
var source string

// Compiles is what the error of every compilation says.
const Compiles = "the stand-in compiles nothing"

// An Engine is the engine on the stand-in.
type Engine struct {
	compute.Backend
	programs string // the file
}

// Open opens the engine xla on a stand-in for a plug-in of that name, with so many devices; the name cuda makes go-xla take it for one of
// NVIDIA's. The plug-in is built with gcc: where that is missing the test is skipped.
func Open(t testing.TB, name string, devices int) *Engine {
	t.Helper()
	if _, err := exec.LookPath("gcc"); err != nil {
		t.Skip("the stand-in for a plug-in is built with gcc, which is not there")
	}
	output := func(name string, args ...string) string {
		t.Helper()
		out, err := exec.Command(name, args...).CombinedOutput()
		if err != nil {
			t.Fatalf("%s %s: %v: %s", name, strings.Join(args, " "), err, out)
		}
		return strings.TrimSpace(string(out))
	}
	dir := t.TempDir()
	code, plugin := filepath.Join(dir, "plugin.c"), filepath.Join(dir, "pjrt_c_api_"+name+"_plugin.so")
	if err := os.WriteFile(code, []byte(source), 0o644); err != nil {
		t.Fatal(err)
	}
	goXLA := output("go", "list", "-m", "-f", "{{.Dir}}", "github.com/gomlx/go-xla")
	output("gcc", "-shared", "-fPIC", "-I", filepath.Join(goXLA, "pjrt"), "-o", plugin, code)
	e := &Engine{programs: filepath.Join(dir, "programs.mlir")}
	t.Setenv("STANDIN_DEVICES", strconv.Itoa(devices))
	t.Setenv("STANDIN_PROGRAMS", e.programs)
	t.Setenv("GOPJRT_CUDA_CHECKS", "0")
	engine, err := backend.Open("xla:" + plugin)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(engine.Finalize)
	e.Backend = engine
	return e
}

// Run has the stand-in compile programs and run them from now on: results are zeros of the shapes that they say.
func (e *Engine) Run(t testing.TB) { t.Setenv("STANDIN_RUNS", "1") }

// Programs are those that were to be compiled so far, as StableHLO's text.
func (e *Engine) Programs(t testing.TB) []string {
	t.Helper()
	text, err := os.ReadFile(e.programs)
	if os.IsNotExist(err) {
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	all := strings.Split(string(text), "\n// end of program\n")
	return all[:len(all)-1]
}
