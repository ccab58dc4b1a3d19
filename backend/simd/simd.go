// Package simd is an engine for GoMLX on CPUs, a compute.Backend named "simd": pure Go and assembly, no cgo. Import
// it to register it.
//
// What takes the time in a transformer, its training (in float32 or bfloat16) and a convolutional detector runs on package kernel's packed,
// vectorised kernels, and element-wise operations between them run in chains, a block of values at a time. Everything else runs on
// GoMLX's portable backend, in segments between them, so every operation that the portable backend has is there, and what it
// cannot do says so in its words.
//
// The way of a computation: builder.go records it, groups.go cuts it into kernels, chains and segments, finish.go lets products take over
// what follows them, plan.go compiles the groups, memory.go says where each value lies, execute.go runs the plan.
//
// Configuration, after the colon of "simd:threads=2,isa=avx2": threads, how many goroutines share the work of
// one operation (default: GOMAXPROCS); isa, generic, avx2 or avx512 (default: the best that the CPU runs, or $SIMD_ISA); weights,
// float32, bfloat16 or int8 (default float32): in which type large weights that a caller keeps are multiplied, in products and convolutions of float32. In a narrower
// type they take half or a quarter of the memory, and are no longer what they were: for inference; devices, as how many devices
// the processor is to appear (default 1), to try what is meant for several (see devices.go).
package simd

import (
	"fmt"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/gobackend"
	"github.com/gomlx/compute/shapes"

	"github.com/go-lxmert/lxmert/backend/simd/kernel"
)

//go:generate go run ./internal/genops

// Name is the backend's name.
const Name = "simd"

func init() { compute.Register(Name, New) }

// Backend is the engine. The portable backend holds the buffers' memory and runs the segments.
type Backend struct {
	portable compute.Backend
	set      *kernel.Set
	threads  int
	weights  kernel.Number // that large float32 weights are multiplied in
	devices  int           // virtual ones
	pool     *pool
	memory   memory
	garbage  atomic.Int64 // bytes let go since the garbage collector was last called for it
}

// New makes an engine; see the package's documentation for config.
func New(config string) (compute.Backend, error) {
	b := &Backend{threads: runtime.GOMAXPROCS(0), devices: 1}
	var err error
	if b.set, err = kernel.Default(); err != nil {
		return nil, fmt.Errorf("simd: %w", err)
	}
	for option := range strings.SplitSeq(config, ",") {
		key, value, _ := strings.Cut(option, "=")
		switch key {
		case "":
		case "threads":
			if b.threads, err = strconv.Atoi(value); err != nil || b.threads < 1 || b.threads > 1<<10 {
				return nil, fmt.Errorf("simd: threads: found %q, want 1..%d", value, 1<<10)
			}
		case "devices":
			if b.devices, err = strconv.Atoi(value); err != nil || b.devices < 1 || b.devices > mostDevices {
				return nil, fmt.Errorf("simd: devices: found %q, want 1..%d", value, mostDevices)
			}
		case "isa":
			if b.set, err = kernel.Lookup(value); err != nil {
				return nil, fmt.Errorf("simd: %w", err)
			}
		case "weights":
			numbers := map[string]kernel.Number{}
			for _, n := range []kernel.Number{kernel.Float32, kernel.BFloat16, kernel.Int8} {
				numbers[n.String()] = n
			}
			var ok bool
			if b.weights, ok = numbers[value]; !ok {
				return nil, fmt.Errorf("simd: weights: found %q, want float32, bfloat16 or int8", value)
			}
		default:
			return nil, fmt.Errorf("simd: found option %q, want threads, isa, weights or devices", key)
		}
	}
	b.pool = newPool(b.threads - 1)
	if b.portable, err = gobackend.New("ops_sequential"); err != nil {
		return nil, err
	}
	runtime.AddCleanup(b, (*pool).close, b.pool) // for engines that nobody finalizes
	return b, nil
}

// Name implements compute.Backend.
func (b *Backend) Name() string { return Name }

// String implements compute.Backend.
func (b *Backend) String() string { return Name }

// Description implements compute.Backend.
func (b *Backend) Description() string {
	return fmt.Sprintf("CPU engine with %s kernels on %d threads", b.set, b.threads)
}

// Capabilities implements compute.Backend: the portable backend's, attention and AllReduce, less quantised lookups.
func (b *Backend) Capabilities() compute.Capabilities {
	c := b.portable.Capabilities().Clone()
	c.Operations[compute.OpTypeFusedScaledDotProductAttention] = true
	c.Operations[compute.OpTypeAllReduce] = true
	delete(c.Operations, compute.OpTypeQuantizedEmbeddingLookup)
	return c
}

// Builder implements compute.Backend.
func (b *Backend) Builder(name string) compute.Builder { return newBuilder(b, name) }

// Finalize implements compute.Backend.
func (b *Backend) Finalize() {
	if !b.IsFinalized() {
		b.portable.Finalize()
		b.pool.close()
	}
}

// IsFinalized implements compute.Backend.
func (b *Backend) IsFinalized() bool { return b.portable.IsFinalized() }

// HasSharedBuffers implements compute.DataInterface. It is false: nobody but the engine writes to a buffer, so
// what was packed of one stays true.
func (b *Backend) HasSharedBuffers() bool { return false }

// NewSharedBuffer implements compute.DataInterface; there are none.
func (b *Backend) NewSharedBuffer(compute.DeviceNum, shapes.Shape) (compute.Buffer, any, error) {
	return nil, nil, fmt.Errorf("simd: shared buffers: %w", compute.ErrNotImplemented)
}

// BufferFromFlatData implements compute.DataInterface. It copies. flat may be nil where the shape has no values.
func (b *Backend) BufferFromFlatData(device compute.DeviceNum, flat any, shape shapes.Shape) (compute.Buffer, error) {
	if err := b.has(device); err != nil {
		return nil, err
	}
	if flat == nil {
		if !shape.Ok() || shape.IsDynamic() || shape.Size() > 0 {
			return nil, fmt.Errorf("simd: found no values, want those of %s", shape)
		}
		empty, _, err := b.portable.NewSharedBuffer(0, shape)
		if err != nil {
			return nil, err
		}
		return b.newBuffer(empty, shape, device), nil
	}
	buffer, err := b.portable.BufferFromFlatData(0, flat, shape)
	if err != nil {
		return nil, err
	}
	return b.newBuffer(buffer, shape, device), nil
}
