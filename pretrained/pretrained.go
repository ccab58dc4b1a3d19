// Package pretrained turns a model directory into a model and back, as from_pretrained and
// save_pretrained of Hugging Face's transformers do: config.json beside a safetensors checkpoint,
// single or sharded.
package pretrained

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"

	"github.com/gomlx/compute"

	"github.com/go-lxmert/lxmert/checkpoint"
	"github.com/go-lxmert/lxmert/internal/plainfile"
	"github.com/go-lxmert/lxmert/model"
)

// ConfigName is the configuration's file name in a model directory.
const ConfigName = "config.json"

// Options say what a load puts up with. The zero value wants every weight of the model in the checkpoint.
type Options struct {
	// Config takes the place of the directory's config.json.
	Config *model.Config
	// AllowNewHeads lets heads that the checkpoint lacks start fresh, AllowMissing any weight, AllowMismatched those
	// whose shape differs (ignore_mismatched_sizes). AllowUnexpected lets the checkpoint hold tensors of which LXMERT knows nothing. The report names them all.
	AllowNewHeads, AllowMissing, AllowMismatched, AllowUnexpected bool
	// Seed is the seed of fresh weights.
	Seed uint64
	// Precision is how the network keeps its weights, whatever the checkpoint's types; they are converted one at a time, as they are read. AsStored
	// takes [PrecisionOf] the checkpoint instead: quantised weights stay so.
	Precision model.Precision
	AsStored  bool
}

// allowed is what a report's error leaves out. Other heads than the model's are never an error: a pre-training checkpoint holds those that question answering does
// without. Any other tensor without use is: a name that is not understood may be a weight that is missing elsewhere.
func (o Options) allowed() []checkpoint.Allow {
	allowed := []checkpoint.Allow{checkpoint.AllowOtherHeads}
	if o.AllowUnexpected {
		allowed = append(allowed, checkpoint.AllowUnexpected)
	}
	if o.AllowNewHeads {
		allowed = append(allowed, checkpoint.AllowNewHeads)
	}
	if o.AllowMissing {
		allowed = append(allowed, checkpoint.AllowMissing)
	}
	if o.AllowMismatched {
		allowed = append(allowed, checkpoint.AllowMismatched)
	}
	return allowed
}

// Config is a model's configuration: config.json in the directory, or beside the file of weights; without one it is [Infer]'s. The error names the file and every key
// that is wrong.
func Config(path string) (*model.Config, error) {
	config, err := readConfig(plainfile.OnDisk(Directory(path)))
	if !errors.Is(err, fs.ErrNotExist) {
		return config, err
	}
	config, without := inferred(path)
	if errors.Is(without, fs.ErrNotExist) { // there is nothing at all
		return nil, err
	}
	return config, without
}

// ConfigFS is [Config] for a model directory that is the root of a file system.
func ConfigFS(fsys fs.FS) (*model.Config, error) { return readConfig(plainfile.In(fsys, ".")) }

func readConfig(dir plainfile.Dir) (*model.Config, error) {
	file, err := dir.Open(ConfigName)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w: a model directory holds config.json and model.safetensors", err)
	}
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return parseConfig(dir.Path(ConfigName), file)
}

// ReadConfigFile is [Config] for a file of another name.
func ReadConfigFile(path string) (*model.Config, error) {
	file, err := plainfile.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return parseConfig(path, file)
}

func parseConfig(path string, file io.Reader) (*model.Config, error) {
	config, err := model.ReadConfig(file)
	if err != nil {
		return nil, InFile(path, err)
	}
	return config, nil
}

// InFile names the file on each line of an error that joins several.
func InFile(path string, err error) error { return plainfile.InFile(path, err) }

// Load reads a model with that head from a directory, or a file of weights, onto a backend. The report says which weights the
// checkpoint did not give and which of its tensors the model has no use for; it is there
// with an error too, once the checkpoint could be opened.
//
// A base model's checkpoint fits a model with heads, and the other way round: the names' prefix "lxmert." is
// added or taken off, as from_pretrained does.
func Load(backend compute.Backend, path string, head model.Head, options Options) (*model.Network, *checkpoint.Report, error) {
	if options.Config == nil {
		config, err := Config(path)
		if err != nil {
			return nil, nil, err
		}
		options.Config = config
	}
	return load(backend, head, options, func() (*checkpoint.File, error) { return checkpoint.Open(path) })
}

// LoadFS is [Load] for a model directory that is the root of a file system, such as one that is embedded in a program. Nothing is written to disk.
func LoadFS(backend compute.Backend, fsys fs.FS, head model.Head, options Options) (*model.Network, *checkpoint.Report, error) {
	if options.Config == nil {
		config, err := ConfigFS(fsys)
		if err != nil {
			return nil, nil, err
		}
		options.Config = config
	}
	return load(backend, head, options, func() (*checkpoint.File, error) { return checkpoint.OpenFS(fsys, ".") })
}

func load(backend compute.Backend, head model.Head, options Options, open func() (*checkpoint.File, error)) (*model.Network, *checkpoint.Report, error) {
	file, err := open()
	if err != nil {
		return nil, nil, err
	}
	defer file.Close()
	report, err := Match(file, options.Config, head)
	if err != nil {
		return nil, nil, err
	}
	if err := report.Err(options.allowed()...); err != nil {
		return nil, report, err
	}
	if options.AsStored {
		options.Precision = PrecisionOf(file)
	}
	network, err := model.NewIn(backend, options.Config, head, options.Precision, kept(report, options.Config.Fresh(options.Seed)))
	if err != nil {
		return nil, report, fmt.Errorf("%s: %w", file.Path(), err)
	}
	return network, report, nil
}

// Match says how a checkpoint fits a model of that configuration and head, without making the model.
func Match(file *checkpoint.File, config *model.Config, head model.Head) (*checkpoint.Report, error) {
	weights, err := model.Declare(config, head)
	if err != nil {
		return nil, err
	}
	want := make([]checkpoint.Want, len(weights))
	for i, w := range weights {
		want[i] = checkpoint.Want{Name: w.Name, Shape: w.Dimensions}
	}
	return checkpoint.Match(file, want, checkpoint.LXMERT()), nil
}

// source takes weights from the checkpoint, and those it lacks from fresh.
func source(report *checkpoint.Report, fresh model.Source) model.Source {
	var last checkpoint.Tensor // which the model has copied by the time it asks for the next
	var buffer []float32
	return func(name string, dimensions []int) ([]float32, error) {
		last.Forget()
		stored, ok := report.Tensor(name)
		if !ok {
			return fresh(name, dimensions)
		}
		last = stored
		if view, ok := stored.Float32View(); ok { // the model copies it before the file is closed
			return view, nil
		}
		values, err := stored.Float32sIn(buffer)
		if cap(values) > cap(buffer) {
			buffer = values
		}
		return values, err
	}
}

// LxmertModel is [Load] with the class's own type.
func LxmertModel(backend compute.Backend, dir string, options Options) (*model.LxmertModel, *checkpoint.Report, error) {
	n, report, err := Load(backend, dir, model.HeadModel, options)
	if err != nil {
		return nil, report, err
	}
	return &model.LxmertModel{Network: n}, report, nil
}

// LxmertForPreTraining is [Load] with the class's own type.
func LxmertForPreTraining(backend compute.Backend, dir string, options Options) (*model.LxmertForPreTraining, *checkpoint.Report, error) {
	n, report, err := Load(backend, dir, model.HeadPreTraining, options)
	if err != nil {
		return nil, report, err
	}
	return &model.LxmertForPreTraining{Network: n}, report, nil
}

// LxmertForQuestionAnswering is [Load] with the class's own type.
func LxmertForQuestionAnswering(backend compute.Backend, dir string, options Options) (*model.LxmertForQuestionAnswering, *checkpoint.Report, error) {
	n, report, err := Load(backend, dir, model.HeadQuestionAnswering, options)
	if err != nil {
		return nil, report, err
	}
	return &model.LxmertForQuestionAnswering{Network: n}, report, nil
}

// LxmertForNLVR2 is [Load] with the class's own type.
func LxmertForNLVR2(backend compute.Backend, dir string, options Options) (*model.LxmertForNLVR2, *checkpoint.Report, error) {
	n, report, err := Load(backend, dir, model.HeadNLVR2, options)
	if err != nil {
		return nil, report, err
	}
	return &model.LxmertForNLVR2{Network: n}, report, nil
}

// HeadOf guesses the head of a checkpoint: config.json's "architectures" if it names one of the four
// classes, else by the heads that are there.
func HeadOf(file *checkpoint.File, config *model.Config) model.Head {
	if classes, ok := config.Extra["architectures"].([]any); ok && len(classes) > 0 {
		if class, ok := classes[0].(string); ok {
			if head, err := model.ParseHead(class); err == nil {
				return head
			}
		}
	}
	names := file.Names()
	switch {
	case slices.Contains(names, "cls.seq_relationship.weight"):
		return model.HeadPreTraining
	case slices.Contains(names, "answer_head.logit_fc.3.weight"):
		return model.HeadQuestionAnswering
	case slices.Contains(names, "logit_fc.0.weight"):
		return model.HeadNLVR2
	default:
		return model.HeadModel
	}
}
