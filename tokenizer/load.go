package tokenizer

import (
	"errors"
	"fmt"
	"io/fs"

	"github.com/go-lxmert/lxmert/internal/plainfile"
)

// The files of a tokenizer's directory, as transformers names them.
const (
	vocabFile   = "vocab.txt"
	jsonFile    = "tokenizer.json"
	configFile  = "tokenizer_config.json"
	specialFile = "special_tokens_map.json"
	addedFile   = "added_tokens.json"
)

// maxFile bounds the size of every file read here. BERT's tokenizer.json has half a MiB.
const maxFile = 64 << 20

// Load reads a tokenizer from a model's directory. Fast mode prefers tokenizer.json, the
// others vocab.txt; either does if the other is missing. tokenizer_config.json,
// special_tokens_map.json and added_tokens.json are read where they are there, and win
// over tokenizer.json; options win over all files.
func Load(dir string, opts ...Option) (*Tokenizer, error) { return load(plainfile.OnDisk(dir), opts) }

// LoadFS is Load for the files at the root of a file system, such as what is embedded in a program.
func LoadFS(fsys fs.FS, opts ...Option) (*Tokenizer, error) {
	return load(plainfile.In(fsys, "."), opts)
}

func load(dir plainfile.Dir, opts []Option) (*Tokenizer, error) {
	wanted := defaultSettings()
	for _, o := range opts {
		o(&wanted)
	}
	files := []string{jsonFile, vocabFile}
	if wanted.mode != Fast {
		files = []string{vocabFile, jsonFile}
	}
	for _, name := range files {
		if _, err := dir.Stat(name); errors.Is(err, fs.ErrNotExist) {
			continue
		} else if err != nil {
			return nil, err
		}
		t, err := readModel(dir, name)
		if err != nil {
			return nil, err
		}
		config, err := readConfig(dir)
		if err != nil {
			return nil, err
		}
		if err := t.configure(config); err != nil {
			return nil, err
		}
		return t.finish(dir.String(), opts)
	}
	return nil, fmt.Errorf("%s: holds neither %s nor %s; want the directory of a tokenizer: %w", dir, jsonFile, vocabFile, fs.ErrNotExist)
}

// LoadVocab reads a tokenizer from a vocab.txt: one token a line, the id is the line's
// number less one. Lines may end in CR LF. [UNK], [SEP], [PAD], [CLS] and [MASK] must be
// there; an empty or repeated line is an error.
func LoadVocab(file string, opts ...Option) (*Tokenizer, error) {
	t, err := readModelFile(file, parseVocab)
	if err != nil {
		return nil, err
	}
	return t.finish(file, opts)
}

// LoadJSON reads a tokenizer from a tokenizer.json of the Rust library: a WordPiece model
// with BertNormalizer, BertPreTokenizer, and TemplateProcessing or BertProcessing. Options
// win over the file.
func LoadJSON(file string, opts ...Option) (*Tokenizer, error) {
	t, err := readModelFile(file, parseJSON)
	if err != nil {
		return nil, err
	}
	return t.finish(file, opts)
}

func readModel(dir plainfile.Dir, name string) (*Tokenizer, error) {
	content, err := dir.Read(name, maxFile)
	if err != nil {
		return nil, err
	}
	parse := parseVocab
	if name == jsonFile {
		parse = parseJSON
	}
	return parsed(parse, dir.Path(name), content)
}

// readModelFile is readModel for a file of any name.
func readModelFile(file string, parse func([]byte) (*Tokenizer, error)) (*Tokenizer, error) {
	content, err := plainfile.Read(file, maxFile)
	if err != nil {
		return nil, err
	}
	return parsed(parse, file, content)
}

func parsed(parse func([]byte) (*Tokenizer, error), file string, content []byte) (*Tokenizer, error) {
	t, err := parse(content)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return t, nil
}

// finish applies the options and builds; where names the source for errors.
func (t *Tokenizer) finish(where string, opts []Option) (*Tokenizer, error) {
	for _, o := range opts {
		o(&t.settings)
	}
	if t.mode == Original {
		// The original knows its five special tokens and no others.
		for _, a := range t.history {
			if _, ok := t.vocab.ids[a.Content]; !ok {
				return nil, fmt.Errorf("%s: added token %q: the original repository has no added tokens; use slow or fast mode", where, a.Content)
			}
		}
	}
	if err := t.build(); err != nil {
		return nil, fmt.Errorf("%s: %w", where, err)
	}
	return t, nil
}
