package backend

import (
	"cmp"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// XLA is the name of GoMLX's engine for GPUs (and TPUs), which programs have that are built with the tag xla. See docs/gpu.md.
const XLA = "xla"

// PluginPath is the environment variable that says where plug-ins of the engine xla lie: directories, or the plug-ins' files, separated
// as in PATH.
const PluginPath = "PJRT_PLUGIN_LIBRARY_PATH"

// A Plugin is a shared library by which the engine xla reaches a kind of device (PJRT's plug-ins). It is found by the name of its file; whether
// it works is seen when it is opened.
type Plugin struct {
	Name string // cuda, rocm, tpu, cpu, ...: after the colon of xla:cuda
	File string
}

// Plugins lists the plug-ins for the engine xla on this machine, in the order in which they are looked for: none in a program that was built
// without that engine.
func Plugins() []Plugin {
	if !slices.Contains(Names(), XLA) {
		return nil
	}
	return pluginsIn(pluginPlaces())
}

// pluginPlaces are the places that [PluginPath] names, or those in which go-xla's installer puts plug-ins.
func pluginPlaces() []string {
	if places, ok := os.LookupEnv(PluginPath); ok {
		return slices.DeleteFunc(filepath.SplitList(places), func(place string) bool { return place == "" })
	}
	places := []string{"/usr/local/lib/go-xla", "/usr/local/lib/go-xla/nvidia"}
	if home, err := os.UserHomeDir(); err == nil {
		own := filepath.Join(home, ".local", "lib", "go-xla")
		places = append([]string{own, filepath.Join(own, "nvidia")}, places...)
	}
	return places
}

// pluginFiles are the names that plug-ins' files have: XLA's own build, go-xla's, JAX's packages (jax_plugins/xla_cuda12/xla_cuda_plugin.so).
var pluginFiles = []*regexp.Regexp{
	regexp.MustCompile(`^pjrt_c_api_(.+)_plugin\.(?:so|dylib|dll)$`),
	regexp.MustCompile(`^pjrt[-_]plugin[-_](.+)\.(?:so|dylib|dll)$`),
	regexp.MustCompile(`^xla_(.+)_plugin\.so$`),
}

// pluginName is the name of the plug-in in a file, "" if it is none by its name.
func pluginName(file string) string {
	for _, names := range pluginFiles {
		if m := names.FindStringSubmatch(filepath.Base(file)); m != nil {
			return m[1]
		}
	}
	return ""
}

// pluginsIn lists the plug-ins in directories, and those that are named by their files, each name once.
func pluginsIn(places []string) []Plugin {
	var found []Plugin
	for _, place := range places {
		files := []string{place}
		if entries, err := os.ReadDir(place); err == nil {
			files = files[:0]
			for _, entry := range entries {
				files = append(files, filepath.Join(place, entry.Name()))
			}
		}
		for _, file := range files {
			name := pluginName(file)
			known := slices.ContainsFunc(found, func(p Plugin) bool { return p.Name == name })
			if info, err := os.Stat(file); name == "" || known || err != nil || info.IsDir() {
				continue
			}
			if absolute, err := filepath.Abs(file); err == nil {
				found = append(found, Plugin{name, absolute})
			}
		}
	}
	return found
}

// choosePlugin is the plug-in of that name, also without its version (cpu for cpu_v0.83.1); without a name the [preferred] one.
func choosePlugin(found []Plugin, name string) (Plugin, bool) {
	if name == "" {
		if len(found) == 0 {
			return Plugin{}, false
		}
		return slices.MinFunc(found, func(a, b Plugin) int { return cmp.Compare(a.rank(), b.rank()) }), true
	}
	for _, same := range []func(Plugin) bool{func(p Plugin) bool { return p.Name == name }, func(p Plugin) bool { return p.base() == name }} {
		if at := slices.IndexFunc(found, same); at >= 0 {
			return found[at], true
		}
	}
	return Plugin{}, false
}

// preferred is go-xla's order where no plug-in is named.
var preferred = []string{"cuda", "rocm", "cpu"}

// rank is the place in that order; others come last.
func (p Plugin) rank() int {
	if at := slices.Index(preferred, p.base()); at >= 0 {
		return at
	}
	return len(preferred)
}

// base is the name without a version.
func (p Plugin) base() string {
	base, _, _ := strings.Cut(p.Name, "_v")
	return base
}

// jaxNVIDIA is the directory of NVIDIA's compiler beside a plug-in of JAX's packages, in site-packages/nvidia; "" if there is none.
func jaxNVIDIA(file string) string {
	plugins := filepath.Dir(filepath.Dir(file))
	if filepath.Base(plugins) != "jax_plugins" {
		return ""
	}
	for _, name := range []string{"cuda_nvcc", "cu13"} { // of CUDA 12's packages and of CUDA 13's
		dir := filepath.Join(filepath.Dir(plugins), "nvidia", name)
		if info, err := os.Stat(dir); err == nil && info.IsDir() {
			return dir
		}
	}
	return ""
}
