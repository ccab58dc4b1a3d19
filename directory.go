package lxmert

import (
	"io/fs"

	"github.com/gomlx/compute"

	"github.com/go-lxmert/lxmert/checkpoint"
	"github.com/go-lxmert/lxmert/internal/plainfile"
	"github.com/go-lxmert/lxmert/model"
	"github.com/go-lxmert/lxmert/pretrained"
	"github.com/go-lxmert/lxmert/tokenizer"
)

// directory is a model directory, on disk or in a file system, and how its parts are read.
type directory struct {
	files  plainfile.Dir
	config func() (*model.Config, error)
	words  func() (*tokenizer.Tokenizer, error)
	head   func(*model.Config) (model.Head, error) // the checkpoint's own
	load   func(compute.Backend, model.Head, pretrained.Options) (*model.Network, *checkpoint.Report, error)
}

// onDisk is a model directory, or a file of weights with the rest beside it.
func onDisk(path string) directory {
	dir := pretrained.Directory(path)
	return directory{
		files:  plainfile.OnDisk(dir),
		config: func() (*model.Config, error) { return pretrained.Config(path) },
		words:  func() (*tokenizer.Tokenizer, error) { return tokenizer.Load(dir) },
		head:   func(config *model.Config) (model.Head, error) { return headOf(checkpoint.Open(path))(config) },
		load: func(engine compute.Backend, head model.Head, o pretrained.Options) (*model.Network, *checkpoint.Report, error) {
			return pretrained.Load(engine, path, head, o)
		},
	}
}

func inFS(fsys fs.FS) directory {
	return directory{
		files:  plainfile.In(fsys, "."),
		config: func() (*model.Config, error) { return pretrained.ConfigFS(fsys) },
		words:  func() (*tokenizer.Tokenizer, error) { return tokenizer.LoadFS(fsys) },
		head:   func(config *model.Config) (model.Head, error) { return headOf(checkpoint.OpenFS(fsys, "."))(config) },
		load: func(engine compute.Backend, head model.Head, o pretrained.Options) (*model.Network, *checkpoint.Report, error) {
			return pretrained.LoadFS(engine, fsys, head, o)
		},
	}
}

// headOf reads off a checkpoint which head it has; it closes the file.
func headOf(file *checkpoint.File, err error) func(*model.Config) (model.Head, error) {
	return func(config *model.Config) (model.Head, error) {
		if err != nil {
			return "", err
		}
		defer file.Close()
		return pretrained.HeadOf(file, config), nil
	}
}
