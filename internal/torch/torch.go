// Package torch reads and writes PyTorch's checkpoints: what torch.save makes of a dict of tensors, in the zip
// format (since PyTorch 1.6) and in the format before it, and Python's pickles of dicts of NumPy arrays, as
// Detectron2 has them.
//
// All of them hold a pickle, which is a program. It is not run: package pickle knows numbers, texts and
// containers, and this package a short list of names that say how a tensor lies in the file. Any other name is an
// error. Whatever the file says about itself is compared with what is there before memory is taken for it.
package torch

import (
	"bytes"
	"errors"
	"fmt"
)

// A Format is a kind of file.
type Format int

// The formats, by what Sniff makes of a file's beginning.
const (
	Unknown Format = iota
	Zip            // torch.save since PyTorch 1.6
	Legacy         // torch.save before
	Pickle         // a pickle of NumPy arrays
)

func (f Format) String() string {
	switch f {
	case Zip:
		return "PyTorch's zip format"
	case Legacy:
		return "PyTorch's format before 1.6"
	case Pickle:
		return "a pickle"
	}
	return "an unknown format"
}

// SniffLen is how many bytes Sniff wants to see.
const SniffLen = 64

// legacyMagic is the number that the first pickle of a file in the legacy format holds, little endian and in
// decimal digits.
const (
	legacyMagic  = "\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19"
	legacyDigits = "119547037146038801333356"
)

// Sniff says from a file's beginning (SniffLen bytes, or all of a shorter file) what it seems to be. Any zip file
// is Zip, any pickle of protocol 2 and later Pickle; those of protocols 0 and 1 are recognised where they begin
// with a dict.
func Sniff(head []byte) Format {
	head = head[:min(len(head), SniffLen)]
	switch {
	case bytes.HasPrefix(head, []byte("PK\x03\x04")):
		return Zip
	case bytes.Contains(head, []byte(legacyMagic)), bytes.HasPrefix(head, []byte("L"+legacyDigits)):
		return Legacy
	case len(head) > 8 && string(head[5:9]) == "\x00\x00\x00{": // safetensors, whatever its length looks like
		return Unknown
	case len(head) > 1 && head[0] == 0x80 && head[1] >= 2 && head[1] <= 5:
		return Pickle
	}
	for _, start := range []string{"(d", "}q", "}(", "ccollections\nOrderedDict\n"} {
		if bytes.HasPrefix(head, []byte(start)) {
			return Pickle
		}
	}
	return Unknown
}

// A File is a checkpoint in memory.
type File struct {
	format  Format
	path    []string
	tensors []Tensor
	others  int
}

// Parse reads a checkpoint. The tensors are views of content, which must stay as it is while they are used; only
// storages of a zip file that somebody compressed, and NumPy's arrays in pickles of protocols 0 to 2, are copied
// (they take at most 4 times the file's size and 16 MB).
//
// Of what the file holds, one dict of tensors is taken: see [File.Path]. The error says what was found instead, or
// which name in the pickle, which member of the archive or which tensor is wrong.
func Parse(content []byte) (*File, error) {
	format := Sniff(content)
	r := newReader(content)
	var top any
	var err error
	switch format {
	case Zip:
		top, err = r.zip()
	case Legacy:
		top, err = r.legacy()
	case Pickle:
		top, _, err = r.load(content)
	default:
		err = unknown(content)
	}
	if err != nil {
		return nil, err
	}
	f := &File{format: format}
	var chosen dictOfTensors
	if chosen, err = choose(top); err != nil {
		return nil, err
	}
	f.path = chosen.path
	if f.tensors, err = r.list(chosen.dict); err != nil {
		return nil, err
	}
	listed := map[*array]bool{}
	for _, t := range f.tensors {
		listed[t.array] = true
	}
	f.others = r.arrays - len(listed)
	return f, nil
}

// unknown says what a file is not.
func unknown(content []byte) error {
	if len(content) > 262 && string(content[257:262]) == "ustar" {
		return errors.New("found PyTorch's tar format of 2017, which is not read: load and save it again with a later PyTorch")
	}
	if len(content) == 0 {
		return errors.New("the file is empty")
	}
	return fmt.Errorf("found %.16q, want a file of torch.save (a zip file, or the format before PyTorch 1.6) or a pickle", content[:min(len(content), 16)])
}

// Format is how the file is written.
func (f *File) Format() Format { return f.format }

// Path says under which keys the dict of tensors was found, none where the file is that dict. It is, in this order:
//
//   - what is under "state_dict", "model_state_dict", "model" or "module", the first that there is and
//     that has tensors in it by these same rules;
//   - the dict itself, if any of its values is a tensor;
//   - what is under the only key that has tensors in it by these same rules, "optimizer" and the like not counted.
func (f *File) Path() []string { return f.path }

// Tensors are those of the dict, in its order. Values of the dict that are no tensors are left out.
func (f *File) Tensors() []Tensor { return f.tensors }

// Others is the number of tensors elsewhere in the file, such as an optimiser's.
func (f *File) Others() int { return f.others }
