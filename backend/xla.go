//go:build xla

package backend

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/gomlx/compute"
	"github.com/gomlx/go-xla/compute/xla" // registers "xla"
)

// The engine xla is GoMLX's own (go-xla), on XLA. It needs cgo, and a plug-in when it is opened. What go-xla has to download plug-ins with is
// not linked in.

func init() {
	openers[XLA] = openXLA
	aliases = append(aliases, "stablehlo", "shlo", "hlo")
}

// openXLA opens the engine with the options "PLUGIN,OPTION=VALUE,...": a plug-in's name, such as cuda, or its file with an absolute path; "" takes
// the first of [preferred].
func openXLA(options string) (engine compute.Backend, err error) {
	name, rest, _ := strings.Cut(options, ",")
	places, file := pluginPlaces(), name
	found := pluginsIn(places)
	if filepath.IsAbs(name) {
		if info, err := os.Stat(name); err != nil || info.IsDir() {
			return nil, fmt.Errorf("plug-in %s: found no such file", name)
		}
	} else if chosen, ok := choosePlugin(found, name); ok {
		name, file = chosen.Name, chosen.File
		if !byName(chosen, places) {
			name = file
		}
	} else if len(found) > 0 {
		return nil, fmt.Errorf("found no plug-in %q, only %s", name, listed(found))
	}
	defer jaxLibraries(file)()
	defer func() {
		if failed := recover(); failed != nil { // go-xla 0.4.5, of a file that is no library
			engine, err = nil, fmt.Errorf("%v", failed)
		}
		if err != nil && len(found) == 0 && !filepath.IsAbs(file) {
			err = fmt.Errorf("found no plug-in in %s: set %s to the directory of one, such as that of an installed JAX (pip install \"jax[cuda12]\": "+
				"site-packages/jax_plugins/xla_cuda12), or name its file: xla:/DIRECTORY/xla_cuda_plugin.so; see docs/gpu.md (%w)", strings.Join(places, ", "), PluginPath, err)
		} else if err != nil {
			err = fmt.Errorf("plug-in %s: %w: does the machine have the device, its driver, and the libraries that the plug-in needs? see docs/gpu.md", file, err)
		}
	}()
	return xla.New(strings.TrimSuffix(name+","+rest, ","))
}

// byName says whether go-xla finds a plug-in itself: one of its own names, in a directory that it looks in. It tells kinds of devices by the
// name, so a name is better than a path, in which anything may stand.
func byName(p Plugin, places []string) bool {
	return !strings.HasPrefix(filepath.Base(p.File), "xla_") && slices.ContainsFunc(places, func(place string) bool {
		absolute, err := filepath.Abs(place)
		return err == nil && absolute == filepath.Dir(p.File)
	})
}

func listed(found []Plugin) string {
	var names []string
	for _, p := range found {
		names = append(names, fmt.Sprintf("%s (%s)", p.Name, p.File))
	}
	return strings.Join(names, ", ")
}

// jaxLibraries prepares for a plug-in of JAX's packages, which finds NVIDIA's libraries beside it by itself: XLA is told where the compiler
// for the GPU is, as JAX tells it, and go-xla, which would look in another place, that there is nothing to complain of. What it returns takes
// the latter back.
func jaxLibraries(file string) (restore func()) {
	const flags, data, checks = "XLA_FLAGS", "--xla_gpu_cuda_data_dir", "GOPJRT_CUDA_CHECKS"
	nvidia := jaxNVIDIA(file)
	if nvidia == "" {
		return func() {}
	}
	if set := os.Getenv(flags); !strings.Contains(set, data) {
		os.Setenv(flags, strings.TrimSpace(set+" "+data+"="+nvidia))
	}
	if _, set := os.LookupEnv(checks); set {
		return func() {}
	}
	os.Setenv(checks, "0")
	return func() { os.Unsetenv(checks) }
}
