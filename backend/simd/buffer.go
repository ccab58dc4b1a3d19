package simd

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"unsafe"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/dtypes/bfloat16"
	"github.com/gomlx/compute/shapes"

	"github.com/go-lxmert/lxmert/backend/simd/kernel"
)

// Buffer is memory of the portable backend, or what was packed of it, or both. Nobody writes to it once it is made.
type Buffer struct {
	backend *Backend
	device  compute.DeviceNum
	shape   shapes.Shape

	mu     sync.Mutex
	memory compute.Buffer             // nil while only the packed form is kept
	packed map[packing]*kernel.Packed // at most one
	ctx    context.Context            // see SetContext; or nil
	spread bool                       // it was wanted unpacked after it had been packed, so both are kept

	transformed map[packing]*kernel.Winograd // see conv.go
}

// packing is a way to read a buffer as the right side of a product.
type packing struct {
	layout kernel.Layout
	k, n   int
	number kernel.Number // that it is multiplied in
}

// stride is the distance between the rows that are packed.
func (p packing) stride() int {
	if p.layout == kernel.InputsOutputs {
		return p.n
	}
	return p.k
}

// newBuffer owns memory of that shape.
func (b *Backend) newBuffer(memory compute.Buffer, shape shapes.Shape, device compute.DeviceNum) *Buffer {
	return &Buffer{backend: b, device: device, shape: shape, memory: memory}
}

// SetContext lets a computation that reads the buffer end when ctx ends, after the operation under way, with ctx's error. An engine's
// interface has no other place for a context.
func (b *Buffer) SetContext(ctx context.Context) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.ctx = ctx
}

// context is what SetContext gave, or nil.
func (b *Buffer) context() context.Context {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.ctx
}

// take is the buffer's memory, which is no longer the buffer's; nil if there is none.
func (b *Buffer) take() compute.Buffer {
	b.mu.Lock()
	defer b.mu.Unlock()
	memory := b.memory
	b.memory, b.packed, b.transformed = nil, nil, nil
	return memory
}

// large is from how many values on a packed buffer's own memory is let go.
const large = 1 << 16

// pack returns the buffer packed as the right side of a product; it is packed once, by whoever comes first. A weight
// that nobody reads but products is then kept in that form alone, but float32 that is multiplied in a narrower type, which would not come back as it was, only if
// it may be lost. Of two ways to read it only the first is kept packed: for the other one it returns nil. Int8 has a step for each column in scales.
func (b *Buffer) pack(p packing, scales []float32, lossy bool) (*kernel.Packed, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if packed := b.packed[p]; packed != nil {
		return packed, nil
	}
	if len(b.packed) > 0 {
		return nil, nil
	}
	memory, err := b.unpacked()
	if err != nil {
		return nil, err
	}
	weights, err := memory.Data()
	if err != nil {
		return nil, err
	}
	packed, err := b.backend.packB(weights, scales, p)
	if err != nil {
		return nil, err
	}
	b.packed = map[packing]*kernel.Packed{p: packed}
	same := p.number == numberOf(b.shape.DType)
	if !b.spread && b.shape.Size() >= large && (same || lossy) {
		// Let go, not finalized: another execution may be reading it.
		b.memory = nil
		b.backend.letGo(int(b.shape.ByteSize()))
	}
	return packed, nil
}

// numberOf is the type of number that weights of a type are multiplied in unless something else is asked for.
func numberOf(dtype dtypes.DType) kernel.Number {
	switch dtype {
	case dtypes.BFloat16:
		return kernel.BFloat16
	case dtypes.Int8:
		return kernel.Int8
	}
	return kernel.Float32
}

// flat is the buffer's memory, made again from the packed form if that is all there is.
func (b *Buffer) flat() (compute.Buffer, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.unpacked()
}

// unpacked is flat; mu is held.
func (b *Buffer) unpacked() (compute.Buffer, error) {
	if b.memory != nil {
		return b.memory, nil
	}
	for p, packed := range b.packed {
		memory, flat, err := b.backend.portable.NewSharedBuffer(0, b.shape)
		if err != nil {
			return nil, err
		}
		if err := b.backend.unpack(flat, packed, p); err != nil {
			return nil, err
		}
		b.memory, b.spread = memory, true
		return memory, nil
	}
	return nil, errors.New("simd: the buffer is finalized")
}

// collectAfter is how much memory may be let go before the garbage collector is called for it: left to itself it
// would wait until the process had doubled.
const collectAfter = 32 << 20

// letGo counts memory that has become garbage.
func (b *Backend) letGo(bytes int) {
	if b.garbage.Add(int64(bytes)) >= collectAfter {
		b.garbage.Store(0)
		runtime.GC()
	}
}

// packB packs a right side of float32, bfloat16 or, with scales, int8; its panels are shared out among the threads.
func (b *Backend) packB(weights any, scales []float32, p packing) (*kernel.Packed, error) {
	packed := b.set.In(p.number).NewPacked(nil, p.k, p.n)
	var pack func(from, to int)
	switch w := weights.(type) {
	case []float32:
		pack = func(from, to int) { packed.Pack(w, p.stride(), p.layout, from, to) }
	case []bfloat16.BFloat16:
		bits := unsafe.Slice((*uint16)(unsafe.SliceData(w)), len(w))
		pack = func(from, to int) { packed.PackBF16(bits, p.stride(), p.layout, from, to) }
	case []int8:
		pack = func(from, to int) { packed.PackInt8(w, scales, p.stride(), p.layout, from, to) }
	default:
		return nil, fmt.Errorf("simd: found weights of %T, want float32, bfloat16 or int8", weights)
	}
	b.share(packed.Panels(), pack)
	return packed, nil
}

// unpack is the inverse of packB, into memory of the buffer's own type.
func (b *Backend) unpack(flat any, packed *kernel.Packed, p packing) error {
	switch to := flat.(type) {
	case []float32:
		b.share(packed.Panels(), func(first, end int) { packed.Unpack(to, p.stride(), p.layout, first, end) })
	case []bfloat16.BFloat16:
		wide := make([]float32, len(to))
		b.share(packed.Panels(), func(first, end int) { packed.Unpack(wide, p.stride(), p.layout, first, end) })
		for i, v := range wide {
			to[i] = bfloat16.FromFloat32(v)
		}
	case []int8:
		scales := make([]float32, p.n)
		b.share(packed.Panels(), func(first, end int) { packed.UnpackInt8(to, scales, p.stride(), p.layout, first, end) })
	default:
		return fmt.Errorf("simd: found weights of %T, want float32, bfloat16 or int8", flat)
	}
	return nil
}

// values are a float32 buffer's, in place.
func values(memory compute.Buffer) ([]float32, error) {
	flat, err := memory.Data()
	if err != nil {
		return nil, err
	}
	v, ok := flat.([]float32)
	if !ok {
		return nil, fmt.Errorf("simd: found a buffer of %T, want float32", flat)
	}
	return v, nil
}

// Backend implements compute.Buffer.
func (b *Buffer) Backend() compute.Backend { return b.backend }

// Finalize implements compute.Buffer.
func (b *Buffer) Finalize() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.packed, b.transformed = nil, nil
	memory := b.memory
	b.memory = nil
	if memory == nil {
		return nil
	}
	return memory.Finalize()
}

// Shape implements compute.Buffer.
func (b *Buffer) Shape() (shapes.Shape, error) { return b.shape, nil }

// DeviceNum implements compute.Buffer.
func (b *Buffer) DeviceNum() (compute.DeviceNum, error) { return b.device, nil }

// ToFlatData implements compute.Buffer.
func (b *Buffer) ToFlatData(flat any) error {
	memory, err := b.flat()
	if err != nil {
		return err
	}
	return memory.ToFlatData(flat)
}

// Data implements compute.Buffer; buffers are not shared.
func (b *Buffer) Data() (any, error) {
	return nil, fmt.Errorf("simd: shared buffers: %w", compute.ErrNotImplemented)
}

// CopyToDevice implements compute.Buffer; a copy on the same device is one, too.
func (b *Buffer) CopyToDevice(device compute.DeviceNum) (compute.Buffer, error) {
	if err := b.backend.has(device); err != nil {
		return nil, err
	}
	memory, err := b.flat()
	if err != nil {
		return nil, err
	}
	copied, err := b.backend.copyOf(memory, b.shape)
	if err != nil {
		return nil, err
	}
	return b.backend.newBuffer(copied, b.shape, device), nil
}
