package pretrained

import (
	"errors"
	"io/fs"

	"github.com/go-lxmert/lxmert/checkpoint"
	"github.com/go-lxmert/lxmert/internal/plainfile"
	"github.com/go-lxmert/lxmert/model"
)

// Inspection is what a checkpoint holds and which models it fits.
type Inspection struct {
	Files   []string            // its files of weights
	Formats []checkpoint.Format // of each of them
	Config  *model.Config       // config.json, or what the tensors' shapes show of it; nil if NoConfig says why there is none
	Tensors []checkpoint.Tensor // sorted by name; names, types and shapes only
	Values  int                 // numbers in all tensors, tied ones counted once
	Head    model.Head          // the class that it was saved as
	Fits    map[model.Head]Fit  // how it fits each class; empty without a configuration
	Meta    map[string]string   // the files' metadata
	Stored  map[string]string   // a tensor's name in its file, where that is another

	NoConfig error
}

// Fit is how a checkpoint fits a class.
type Fit struct {
	Missing    []string // weights that the checkpoint lacks
	Unexpected []string // tensors that the class has no use for
	Err        error    // what is wrong beyond that: shapes, types, contradictions; nil if nothing
}

// Inspect looks at a checkpoint: a model directory, a file of weights or a shard index. Weights are not read.
func Inspect(path string) (*Inspection, error) {
	file, err := checkpoint.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	inspection := &Inspection{Files: file.Files(), Formats: file.Formats(), Meta: file.Metadata(), Stored: map[string]string{}, Fits: map[model.Head]Fit{}}
	for _, name := range file.Names() {
		tensor, _ := file.Tensor(name)
		if partner := checkpoint.LXMERT().Tied[name]; partner == "" || !holds(file, partner) {
			inspection.Values += tensor.Len()
		}
		tensor.Data, tensor.Fetch = nil, nil // gone with the file
		if stored := file.StoredName(name); stored != name {
			inspection.Stored[name] = stored
		}
		inspection.Tensors = append(inspection.Tensors, tensor)
	}
	config, err := readConfig(plainfile.OnDisk(Directory(path)))
	if errors.Is(err, fs.ErrNotExist) {
		config, inspection.NoConfig = Infer(file)
		if inspection.NoConfig != nil {
			return inspection, nil
		}
	} else if err != nil {
		return nil, err
	}
	inspection.Config, inspection.Head = config, HeadOf(file, config)
	for _, head := range []model.Head{model.HeadModel, model.HeadQuestionAnswering, model.HeadNLVR2, model.HeadPreTraining} {
		report, err := Match(file, config, head)
		if err != nil {
			return nil, err
		}
		fit := Fit{Unexpected: report.Unexpected, Err: report.Err(checkpoint.AllowMissing, checkpoint.AllowUnexpected)}
		for _, missing := range report.Missing {
			fit.Missing = append(fit.Missing, missing.Name)
		}
		inspection.Fits[head] = fit
	}
	return inspection, nil
}

func holds(file *checkpoint.File, name string) bool {
	_, ok := file.Tensor(name)
	return ok
}
