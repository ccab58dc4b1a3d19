package train

import (
	"fmt"
	"hash/crc32"
	"iter"

	"github.com/gomlx/gomlx/core/tensors"
)

// A beginning is what all ranks must have the same of.
type beginning struct {
	Step    int
	Weights uint32 // a hash of them, and of what the optimiser keeps
}

// sameBeginning is the error that a rank begins with other weights than rank 0, as from another file of the same name.
func (t *Trainer) sameBeginning() error {
	if t.options.Ranks.Size() == 1 {
		return nil
	}
	hash, err := t.hashWeights()
	all, err := Confer(t.options.Ranks, beginning{t.state.Step, hash}, err)
	if err != nil {
		return err
	}
	for rank, b := range all {
		if b != all[0] {
			return fmt.Errorf("rank %d begins with other weights (step %d) than rank 0 (step %d): every rank must read the same --init or --bert, and the same checkpoint in --out",
				rank, b.Step, all[0].Step)
		}
	}
	return nil
}

// hashWeights is a checksum of all weights and of what the optimiser keeps beside them.
func (t *Trainer) hashWeights() (uint32, error) {
	hash := crc32.New(crc32.MakeTable(crc32.Castagnoli)) // which processors have an instruction for
	for _, values := range []iter.Seq2[string, *tensors.Tensor]{t.model.Weights(), moments(t.model.Store())} {
		for name, value := range values {
			hash.Write([]byte(name))
			if err := value.ConstBytes(func(data []byte) { hash.Write(data) }); err != nil {
				return 0, err
			}
		}
	}
	return hash.Sum32(), nil
}
