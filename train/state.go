package train

import (
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"math"
	"path/filepath"
	"strings"

	"github.com/gomlx/gomlx/core/tensors"
	gomodel "github.com/gomlx/gomlx/ml/model"

	"github.com/go-lxmert/lxmert/checkpoint"
	"github.com/go-lxmert/lxmert/internal/atomicfile"
	"github.com/go-lxmert/lxmert/internal/jsonerror"
	"github.com/go-lxmert/lxmert/internal/plainfile"
	"github.com/go-lxmert/lxmert/model"
	"github.com/go-lxmert/lxmert/pretrained"
)

// The files that a checkpoint has besides those of a model directory.
const (
	StateName   = "training.json"        // where the run was
	MomentsName = "training.safetensors" // what the optimiser keeps beside each weight
)

// state is where a run is. Random numbers are not in it: they follow from the seed and the step's number.
type state struct {
	Step    int `json:"step"`          // made so far
	Epoch   int `json:"epoch"`         // completed
	InEpoch int `json:"step_in_epoch"` // steps of the present epoch

	// Sums over the present epoch.
	Loss    mean    `json:"loss"`
	Score   mean    `json:"score"`
	Seconds float64 `json:"seconds"`
	Waited  float64 `json:"waited"` // of Seconds, for data

	Best      *bestSoFar `json:"best,omitempty"`
	SinceBest int        `json:"epochs_since_best"`
	Ended     bool       `json:"ended"` // nothing is left to do
}

// saveState writes state and moments into a checkpoint's directory.
func saveState(dir string, s state, m *model.Network) error {
	if err := pretrained.WriteTensors(filepath.Join(dir, MomentsName), moments(m.Store())); err != nil {
		return err
	}
	return atomicfile.Write(filepath.Join(dir, StateName), 0o644, func(w io.Writer) error {
		e := json.NewEncoder(w)
		e.SetIndent("", "  ")
		return e.Encode(s)
	})
}

// moments visits what the optimiser keeps, under the weight's name with ".m" or ".v" behind it.
func moments(store *gomodel.Store) iter.Seq2[string, *tensors.Tensor] {
	return func(yield func(string, *tensors.Tensor) bool) {
		for variable := range store.IterVariables() {
			path, ok := strings.CutPrefix(variable.Path(), "/"+momentScope+"/")
			if !ok {
				continue
			}
			value, err := variable.Value()
			if err != nil {
				return // the model is being closed; its weights, which are saved first, say so
			}
			if !yield(strings.ReplaceAll(path, "/", "."), value) {
				return
			}
		}
	}
}

// maxState bounds the state's file; it has a kilobyte.
const maxState = 1 << 20

// readState reads a checkpoint's state. The error is os.ErrNotExist's kind if there is none.
func readState(dir string) (state, error) {
	path := filepath.Join(dir, StateName)
	content, err := plainfile.Read(path, maxState)
	if err != nil {
		return state{}, err
	}
	var s state
	if err := json.Unmarshal(content, &s); err != nil {
		return state{}, fmt.Errorf("%s: %w", path, jsonerror.Explain(err))
	}
	if s.Step < 0 || s.Epoch < 0 || s.InEpoch < 0 || s.Loss.Count < 0 || math.IsNaN(s.Loss.Sum) {
		return state{}, fmt.Errorf("%s: found step %d, epoch %d, step %d in the epoch: numbers below 0", path, s.Step, s.Epoch, s.InEpoch)
	}
	return s, nil
}

// loadMoments puts a checkpoint's moments beside the weights.
func loadMoments(dir string, m *model.Network) error {
	path := filepath.Join(dir, MomentsName)
	file, err := checkpoint.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	shapes := map[string][]int{}
	for name, weight := range m.Weights() {
		shapes[name] = weight.Shape().Dimensions
	}
	return m.Update(func() error {
		for _, name := range file.Names() {
			stored, _ := file.Tensor(name)
			weight, kind := name[:max(0, len(name)-2)], name[max(0, len(name)-2):]
			shape, known := shapes[weight]
			if !known || kind != ".m" && kind != ".v" {
				return fmt.Errorf("%s: tensor %s belongs to no weight of the model", path, name)
			}
			values, err := stored.Float32s()
			if err != nil {
				return fmt.Errorf("%s: %w", path, err)
			}
			if fmt.Sprint(stored.Shape) != fmt.Sprint(shape) {
				return fmt.Errorf("%s: tensor %s is %v, want %v", path, name, stored.Shape, shape)
			}
			at := "/" + momentScope + "/" + strings.ReplaceAll(weight, ".", "/") + kind
			variable, err := m.Store().CreateVariable(at, tensors.FromFlatDataAndDimensions(values, shape...))
			if err != nil {
				return fmt.Errorf("%s: tensor %s: %w", path, name, err)
			}
			variable.SetTrainable(false)
		}
		return nil
	})
}
