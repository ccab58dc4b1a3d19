package simd

import (
	"fmt"
	"sync"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/shapes"

	"github.com/go-lxmert/lxmert/backend/simd/kernel"
)

// Buffer is memory of the portable backend, and what was packed of it. Nobody writes to it once it is made.
type Buffer struct {
	backend *Backend
	memory  compute.Buffer

	mu     sync.Mutex
	packed map[packing]*kernel.Packed
}

// packing is a way to read a buffer as the right side of a product.
type packing struct {
	layout kernel.Layout
	k, n   int
}

// pack returns the buffer packed as the right side of a product; it is packed once, by whoever comes first.
func (b *Buffer) pack(p packing) (*kernel.Packed, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if packed := b.packed[p]; packed != nil {
		return packed, nil
	}
	weights, err := values(b.memory)
	if err != nil {
		return nil, err
	}
	packed := b.backend.packB(weights, p)
	if b.packed == nil {
		b.packed = map[packing]*kernel.Packed{}
	}
	b.packed[p] = packed
	return packed, nil
}

// packB packs a right side, its panels shared out among the threads.
func (b *Backend) packB(weights []float32, p packing) *kernel.Packed {
	packed := b.set.NewPacked(nil, p.k, p.n)
	ldb := p.n
	if p.layout == kernel.OutputsInputs {
		ldb = p.k
	}
	b.share(packed.Panels(), func(from, to int) { packed.Pack(weights, ldb, p.layout, from, to) })
	return packed
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
	b.packed = nil
	return b.memory.Finalize()
}

// Shape implements compute.Buffer.
func (b *Buffer) Shape() (shapes.Shape, error) { return b.memory.Shape() }

// DeviceNum implements compute.Buffer.
func (b *Buffer) DeviceNum() (compute.DeviceNum, error) { return 0, nil }

// ToFlatData implements compute.Buffer.
func (b *Buffer) ToFlatData(flat any) error { return b.memory.ToFlatData(flat) }

// Data implements compute.Buffer; buffers are not shared.
func (b *Buffer) Data() (any, error) {
	return nil, fmt.Errorf("simd: shared buffers: %w", compute.ErrNotImplemented)
}

// CopyToDevice implements compute.Buffer; there is one device, so the copy is one on it.
func (b *Buffer) CopyToDevice(device compute.DeviceNum) (compute.Buffer, error) {
	copied, err := b.memory.CopyToDevice(device)
	if err != nil {
		return nil, err
	}
	return &Buffer{backend: b.backend, memory: copied}, nil
}
