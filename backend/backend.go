// Package backend chooses the engine that runs the graphs, by name.
package backend

import (
	"cmp"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"

	"github.com/gomlx/compute"
	_ "github.com/gomlx/compute/gobackend" // registers "go"

	_ "github.com/go-lxmert/lxmert/backend/simd" // registers "simd"
)

// Default is the engine where nothing else is asked for: ours, see package simd.
const Default = "simd"

// Portable is GoMLX's own engine in plain Go, an operation at a time. With its default scheduling, parallel
// operations can wait for each other for ever, so "go" alone stands for it here.
const Portable = "go:ops_sequential"

// Open opens the engine "NAME" or "NAME:OPTIONS", such as "simd:threads=2" or [Portable]. The empty string stands for
// the environment variable GOMLX_BACKEND, and for [Default] where that is not set.
func Open(name string) (compute.Backend, error) {
	source := "backend"
	if name == "" {
		name, source = os.Getenv(compute.ConfigEnvVar), compute.ConfigEnvVar
	}
	if name == "" {
		name, source = Default, "backend"
	}
	if name == "go" {
		name = Portable
	}
	kind, options, _ := strings.Cut(name, ":")
	if known := Names(); !slices.Contains(known, kind) {
		if kind == XLA {
			return nil, fmt.Errorf("%s: found %q, this program has %s: for GPUs build it with -tags xla (docs/gpu.md)", source, kind, strings.Join(known, ", "))
		}
		return nil, fmt.Errorf("%s: found %q, this program has %s", source, kind, strings.Join(known, ", "))
	}
	opening.Lock()
	defer opening.Unlock()
	// The portable backend reports some of its options on standard output, which may be
	// someone's JSON.
	stdout := os.Stdout
	os.Stdout = os.Stderr
	defer func() { os.Stdout = stdout }()
	open := func(string) (compute.Backend, error) { return compute.NewWithConfig(name) }
	if own := openers[kind]; own != nil {
		open = own
	}
	opened, err := open(options)
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", source, name, err)
	}
	return opened, nil
}

// WithWeights is the name of an engine, as [Open] takes it, that multiplies large float32 weights in another type: float32, bfloat16 or int8 (see package simd).
// The error is that the engine cannot.
func WithWeights(name, number string) (string, error) {
	if number == "float32" {
		return name, nil
	}
	if name == "" {
		name = cmp.Or(os.Getenv(compute.ConfigEnvVar), Default)
	}
	kind, options, _ := strings.Cut(name, ":")
	if kind != Default {
		return "", fmt.Errorf("backend: engine %s has no products in %s, only %s has", kind, number, Default)
	}
	return kind + ":" + strings.TrimPrefix(options+",weights="+number, ","), nil
}

var opening sync.Mutex

// What engines of build tags add at the program's start: how they are opened, if not by GoMLX's registry alone, and other names for them in it.
var (
	openers = map[string]func(options string) (compute.Backend, error){}
	aliases []string
)

// Names lists the engines built into this program, sorted.
func Names() []string {
	names := slices.DeleteFunc(compute.List(), func(name string) bool { return slices.Contains(aliases, name) })
	slices.Sort(names)
	return names
}
