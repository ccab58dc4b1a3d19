package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// packages have tests that run on a backend; others of GoMLX test its plots or its command line.
var packages = []string{"./core/...", "./ml/..."}

// program is a package's tests, compiled.
type program struct {
	name string // the package's, such as core/graph
	dir  string // where its tests find their files
	file string
}

// register makes our engine known to every test that has a backend, and keeps GoMLX from downloading another one.
const register = `package testutil

import (
	"github.com/gomlx/go-xla/compute/xla"

	_ "github.com/go-lxmert/lxmert/backend/simd"
)

type installed struct{}

func (installed) AutoInstall() error             { return nil }
func (installed) AutoInstallPlugin(string) error { return nil }

func init() { xla.RegisterAutoInstaller(installed{}) }
`

// build copies GoMLX to dir, adds our engine to its tests and compiles them in a workspace with this module.
func build(dir string) ([]program, error) {
	var module, ours struct{ Dir string }
	if err := list(&module, "", "-m", "github.com/gomlx/gomlx"); err != nil {
		return nil, err
	}
	if err := list(&ours, "", "-m"); err != nil {
		return nil, err
	}
	gomlx := filepath.Join(dir, "gomlx")
	for _, part := range []string{"backends", "core", "internal", "ml", "support", "ui"} {
		if err := os.CopyFS(filepath.Join(gomlx, part), os.DirFS(filepath.Join(module.Dir, part))); err != nil {
			return nil, err
		}
	}
	work := fmt.Sprintf("go 1.26.5\n\nuse ./gomlx\n\nuse %q\n", ours.Dir)
	files := map[string]string{"go.work": work, "gomlx/support/testutil/simd.go": register}
	for _, name := range []string{"go.mod", "go.sum"} {
		text, err := os.ReadFile(filepath.Join(module.Dir, name))
		if err != nil {
			return nil, err
		}
		files["gomlx/"+name] = string(text)
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			return nil, err
		}
	}
	return compile(gomlx, dir)
}

// compile makes the test programs of a copy of GoMLX.
func compile(gomlx, dir string) ([]program, error) {
	type listed struct {
		Dir, ImportPath, Name     string
		TestGoFiles, XTestGoFiles []string
	}
	var all []listed
	for _, pattern := range packages {
		out, err := command(gomlx, "go", "list", "-json=Dir,ImportPath,Name,TestGoFiles,XTestGoFiles", pattern)
		if err != nil {
			return nil, err
		}
		for d := json.NewDecoder(bytes.NewReader(out)); d.More(); {
			var p listed
			if err := d.Decode(&p); err != nil {
				return nil, err
			}
			all = append(all, p)
		}
	}
	var programs []program
	args := []string{"test", "-tags", "noxla", "-vet=off", "-c", "-o", dir + string(filepath.Separator)}
	for _, p := range all {
		if len(p.TestGoFiles)+len(p.XTestGoFiles) == 0 {
			continue
		}
		also := fmt.Sprintf("package %s_test\n\nimport _ \"github.com/gomlx/gomlx/support/testutil\"\n", p.Name)
		if err := os.WriteFile(filepath.Join(p.Dir, "simd_engine_test.go"), []byte(also), 0o644); err != nil {
			return nil, err
		}
		args = append(args, p.ImportPath)
		programs = append(programs, program{
			name: strings.TrimPrefix(p.ImportPath, "github.com/gomlx/gomlx/"),
			dir:  p.Dir,
			file: filepath.Join(dir, filepath.Base(p.ImportPath)+".test"),
		})
	}
	_, err := command(gomlx, "go", args...)
	return programs, err
}

// list is go list -json.
func list(to any, dir string, args ...string) error {
	out, err := command(dir, "go", append([]string{"list", "-json"}, args...)...)
	if err != nil {
		return err
	}
	return json.Unmarshal(out, to)
}

// command runs a command and returns what it prints.
func command(dir, name string, args ...string) ([]byte, error) {
	cmd := exec.Command(name, args...)
	cmd.Dir, cmd.Stderr = dir, os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", name, strings.Join(args[:min(4, len(args))], " "), err)
	}
	return out, nil
}
