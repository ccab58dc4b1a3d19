package pretrained

import (
	"strings"

	"github.com/gomlx/compute/dtypes"

	"github.com/go-lxmert/lxmert/checkpoint"
	"github.com/go-lxmert/lxmert/model"
)

// kept gives a network of some precision its weights: as they are where the checkpoint has them in the network's types, else
// converted, one at a time.
func kept(report *checkpoint.Report, fresh model.Source) model.KeptSource {
	converted := source(report, fresh).Kept()
	var last checkpoint.Tensor // which the model has copied by the time it asks for the next
	return func(w model.Weight) ([]byte, error) {
		last.Forget()
		if stored, ok := report.Tensor(w.Name); ok && w.DType != dtypes.Float32 && stored.DType == checkpointTypes[w.DType] {
			if data, ok := stored.Native(); ok {
				last = stored
				return data, nil
			}
		}
		if of, ok := strings.CutSuffix(w.Name, model.ScaleSuffix); ok {
			if stored, ok := report.Tensor(of); ok && stored.Scales != nil && w.DType == dtypes.Float32 {
				values, err := stored.Scales.Float32s()
				return dtypes.UnsafeByteSliceFromAny(values), err
			}
		}
		return converted(w)
	}
}
