package main

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"

	"golang.org/x/sys/cpu"

	"github.com/go-lxmert/lxmert/backend"
	"github.com/go-lxmert/lxmert/backend/simd/kernel"
	"github.com/go-lxmert/lxmert/hub"
)

func (c *checkup) program() {
	c.ok("program", "lxmert %s, %s, %s/%s", version(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
	for _, name := range backend.Names() {
		if name == backend.XLA && !c.plugins() {
			continue
		}
		engine, err := backend.Open(name)
		if err != nil {
			c.fault("engine "+name, "choose another with --backend", err)
			continue
		}
		c.engines = append(c.engines, name)
		as := ""
		if name == backend.Default {
			as = "; the one that is used unless told otherwise"
		}
		c.ok("engine "+name, "%s%s", engine.Description(), as)
		engine.Finalize()
	}
}

// plugins says which plug-ins the engine xla has here, and whether there is one.
func (c *checkup) plugins() bool {
	found := backend.Plugins()
	for _, p := range found {
		c.ok("plug-in "+p.Name, "%s", p.File)
	}
	if len(found) == 0 {
		c.note("engine "+backend.XLA, "set "+backend.PluginPath+" to the directory of a PJRT plug-in, such as that of an installed JAX; see docs/gpu.md", "built in, but found no plug-in for it")
	}
	return len(found) > 0
}

// processor says which kernels are used, and what stands in the way of better ones.
func (c *checkup) processor() {
	const subject = "processor"
	set, err := kernel.Default()
	if err != nil {
		c.fault(subject, "unset "+kernel.Env, err)
		return
	}
	var able []string
	for _, s := range kernel.Sets() {
		able = append(able, s.String())
	}
	text := fmt.Sprintf("%d cores, %d in use; kernels: %s", runtime.NumCPU(), runtime.GOMAXPROCS(0), set)
	if features := cpuFeatures(); features != "" {
		text += "; features: " + features
	}
	best := able[len(able)-1]
	switch {
	case set.String() != best:
		c.note(subject, "unset "+kernel.Env+", or leave it so if this is a comparison", "%s, although it can run %s (%s=%s)", text, best, kernel.Env, os.Getenv(kernel.Env))
	case len(able) == 1:
		c.note(subject, "a processor with AVX2 or AVX-512 is 10 to 30 times as fast; so is a build without the tag purego on one", "%s (portable code)", text)
	default:
		c.ok(subject, "%s", text)
	}
}

// cpuFeatures are those that matter for speed, now or in 16 and 8 bits.
func cpuFeatures() string {
	var names []string
	for _, f := range []struct {
		name string
		has  bool
	}{
		{"AVX2", cpu.X86.HasAVX2}, {"FMA", cpu.X86.HasFMA}, {"AVX-512", cpu.X86.HasAVX512F}, {"AVX-512 VNNI", cpu.X86.HasAVX512VNNI}, {"AVX-512 BF16", cpu.X86.HasAVX512BF16},
		{"NEON", cpu.ARM64.HasASIMD}, {"dot product", cpu.ARM64.HasASIMDDP}, {"int8 matrices", cpu.ARM64.HasI8MM},
	} {
		if f.has {
			names = append(names, f.name)
		}
	}
	return strings.Join(names, ", ")
}

// precisions says what the processor has for --dtype bf16 and int8. Without these instructions answers are the same, and later.
func (c *checkup) precisions() {
	const subject = "precision"
	bf16, int8 := narrowInstructions()
	switch {
	case bf16 != "" && int8 != "":
		c.ok(subject, "bf16 by %s, int8 by %s", bf16, int8)
	case bf16 == "" && int8 == "":
		c.note(subject, "--dtype bf16 and int8 save memory here, but hardly time", "the processor has no fast instructions that multiply bf16 or int8")
	case bf16 == "":
		c.note(subject, "of the narrow types take int8 (--dtype int8)", "int8 by %s; the processor has no instruction that multiplies bf16 faster than f32", int8)
	default:
		c.note(subject, "of the narrow types take bf16 (--dtype bf16)", "bf16 by %s; the processor has no instruction that multiplies int8 faster than f32", bf16)
	}
}

// narrowInstructions are those that the engine multiplies bf16 and int8 with here, "" where it widens them first: because the processor has none, or because
// its own is slower than float32's.
func narrowInstructions() (bf16, int8 string) {
	set, err := kernel.Default()
	if err != nil {
		return "", "" // the engine itself says why
	}
	return set.In(kernel.BFloat16).Instruction(), set.In(kernel.Int8).Instruction()
}

// memory says whether there is room for a model of the base size: 1.1 GB to answer, 5 to learn from batches of 8.
func (c *checkup) memory() {
	const subject, answer, learn = "memory", 1.2e9, 5e9
	free, ok := freeMemory()
	text := fmt.Sprintf("%.1f GB free", free/1e9)
	switch {
	case !ok:
		c.note(subject, "a model of the base size takes 1.1 GB to answer, and 5 to be trained in batches of 8", "how much is free cannot be told on %s", runtime.GOOS)
	case free < answer:
		c.note(subject, "a model of the base size takes 1.1 GB to answer", "%s", text)
	case free < learn:
		c.note(subject, "training one of the base size takes 5 GB in batches of 8; --accumulate and --checkpointing take less", "%s: enough to answer", text)
	default:
		c.ok(subject, "%s: enough to answer and to train a model of the base size", text)
	}
}

// freeMemory is the memory that programs can have without others being pushed out, in bytes; where the system says so.
func freeMemory() (float64, bool) {
	file, err := os.Open("/proc/meminfo")
	if err != nil {
		return 0, false
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		fields := strings.Fields(lines.Text())
		if len(fields) == 3 && fields[0] == "MemAvailable:" && fields[2] == "kB" {
			kilobytes, err := strconv.ParseFloat(fields[1], 64)
			return kilobytes * 1024, err == nil
		}
	}
	return 0, false
}

// cache says where models are kept that were downloaded by name, and whether it can be used.
func (c *checkup) cache() {
	const subject = "cache"
	dir, err := hub.CacheDir(hub.Options{})
	if err != nil {
		c.note(subject, "set HF_HOME, if models are to be downloaded by name", "%v", err)
		return
	}
	models, err := filepath.Glob(filepath.Join(dir, "models--*"))
	if err != nil {
		c.note(subject, "", "%v", err)
		return
	}
	info, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		c.ok(subject, "%s, not there yet: the first download makes it", dir)
	case err != nil:
		c.note(subject, "set HF_HOME to another place, if models are to be downloaded by name", "%v", err)
	case !info.IsDir():
		c.note(subject, "set HF_HOME to another place, if models are to be downloaded by name", "%s is no directory", dir)
	default:
		c.ok(subject, "%s, %d models", dir, len(models))
	}
}
