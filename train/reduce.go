package train

import (
	"encoding/binary"
	"fmt"

	"github.com/gomlx/gomlx/core/tensors"

	"github.com/go-lxmert/lxmert/checkpoint"
)

// A bucket is what ranks add up at once: large enough that a network's delay does not matter, and small enough to stay in a processor's
// caches (25 MB took half the time that one call for all 912 MB took).
const bucketFloats = 25 << 20 / 4

// packedBelow is up to how many numbers a tensor travels together with others, through a copy. Larger ones are added up where they are.
const packedBelow = 1 << 18

// sumOverRanks puts the sums over all ranks in the tensors' place. All ranks give tensors of the same shapes in the same order.
func sumOverRanks(r Reducer, narrow bool, values []*tensors.Tensor) error {
	if r.Size() == 1 {
		return nil
	}
	add := r.Sum
	if narrow {
		add = func(values []float32) error { return sumBFloat16(r, values) }
	}
	b := bucket{add: add}
	for _, t := range values {
		if t.Size() < packedBelow {
			if err := b.pack(t); err != nil {
				return err
			}
			continue
		}
		err := inPlace(t, func(flat []float32) (err error) {
			for len(flat) > 0 && err == nil {
				n := min(bucketFloats, len(flat))
				err, flat = add(flat[:n]), flat[n:]
			}
			return err
		})
		if err != nil {
			return err
		}
	}
	return b.flush()
}

// A bucket gathers small tensors.
type bucket struct {
	add     func([]float32) error
	tensors []*tensors.Tensor
	values  []float32
}

// pack takes in a tensor's numbers, and adds up what has been gathered if there is no room for them.
func (b *bucket) pack(t *tensors.Tensor) error {
	if len(b.values)+t.Size() > bucketFloats {
		if err := b.flush(); err != nil {
			return err
		}
	}
	b.tensors = append(b.tensors, t)
	return tensors.ConstFlatData(t, func(flat []float32) { b.values = append(b.values, flat...) })
}

// flush adds up what has been gathered and gives each tensor its sums.
func (b *bucket) flush() error {
	if len(b.values) == 0 {
		return nil
	}
	if err := b.add(b.values); err != nil {
		return err
	}
	left := b.values
	for _, t := range b.tensors {
		if err := inPlace(t, func(flat []float32) error { left = left[copy(flat, left):]; return nil }); err != nil {
			return err
		}
	}
	b.tensors, b.values = b.tensors[:0], b.values[:0]
	return nil
}

// inPlace changes a tensor's numbers: in the engine's own memory if that is the host's, else in a copy that goes back to the device.
func inPlace(t *tensors.Tensor, change func(flat []float32) error) (err error) {
	access := tensors.MutableFlatData[float32]
	if engine, _ := t.Backend(); engine != nil && engine.HasSharedBuffers() && !t.HasLocal() {
		// The only copy is the engine's, which this shows: the tensor that GoMLX would have us change would be a copy.
		access = tensors.ConstFlatData[float32]
	}
	if failed := access(t, func(flat []float32) { err = change(flat) }); failed != nil {
		return failed
	}
	return err
}

// sumBFloat16 is Sum with bfloat16 on the way, half the bytes: each rank adds up one piece of the numbers in float32, as they were sent by
// the others, and sends the sums to all. So a number is rounded twice, however many ranks there are: what was sent, and the sum, each by
// at most 2⁻⁸ of it.
func sumBFloat16(r Reducer, values []float32) error {
	n := r.Size()
	piece := (len(values) + n - 1) / n
	send, receive := make([]byte, 2*piece*n), make([]byte, 2*piece*n)
	for i, v := range values {
		binary.LittleEndian.PutUint16(send[2*i:], checkpoint.BF16Bits(v))
	}
	if err := r.Exchange(send, receive); err != nil {
		return err
	}
	for i := range piece {
		var sum float32
		for rank := range n {
			sum += checkpoint.FromBF16Bits(binary.LittleEndian.Uint16(receive[2*(rank*piece+i):]))
		}
		for rank := range n {
			binary.LittleEndian.PutUint16(send[2*(rank*piece+i):], checkpoint.BF16Bits(sum))
		}
	}
	if err := r.Exchange(send, receive); err != nil {
		return err
	}
	for i := range values {
		values[i] = checkpoint.FromBF16Bits(binary.LittleEndian.Uint16(receive[2*i:]))
	}
	return nil
}

// share is which of a step's parts a rank computes: from..to.
func share(r Reducer, parts int) (from, to int) {
	each := parts / r.Size()
	return r.Rank() * each, (r.Rank() + 1) * each
}

// divisible says whether parts can be divided among the ranks, and those of each among its devices.
func divisible(r Reducer, devices, parts int) error {
	if n := r.Size() * devices; parts%n != 0 {
		of := fmt.Sprintf("%d ranks", n)
		if devices > 1 {
			of = fmt.Sprintf("%d devices of %d ranks", devices, r.Size())
		}
		return fmt.Errorf("a batch of %d parts cannot be divided among %s: want a multiple of %d parts (--accumulate)", parts, of, n)
	}
	return nil
}
