package frcnn

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"github.com/go-lxmert/lxmert/vision"
)

// The names of Visual Genome's objects and attributes that the published detectors were trained on: neither checkpoint has them. From Visual Genome
// (Krishna et al. 2017, CC BY 4.0), chosen by bottom-up-attention (Anderson et al. 2018).
//
//go:embed visualgenome
var visualGenome embed.FS

// names are those of a detector's directory, or else Visual Genome's if it tells as many.
func names(dir string, c *Config) (objects, attributes []string, err error) {
	if objects, err = vocabulary(dir, "objects", c.NumClasses); err == nil && c.NumAttrs > 0 {
		attributes, err = vocabulary(dir, "attributes", c.NumAttrs)
	}
	return objects, attributes, err
}

// vocabulary reads the first file there is of a kind of names, "objects" or "attributes".
func vocabulary(dir, kind string, count int) ([]string, error) {
	for _, name := range []string{kind + "_vocab.txt", kind + ".txt"} {
		path := filepath.Join(dir, name)
		list, err := vision.ReadNames(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err == nil && len(list) != count {
			err = fmt.Errorf("%s: found %d names, want %d, one for each of the detector's %s", path, len(list), count, kind)
		}
		return list, err
	}
	list := builtIn(kind)
	if len(list) != count {
		list = nil
	}
	return list, nil
}

// builtIn are Visual Genome's names of a kind; tests read them.
func builtIn(kind string) []string {
	text, err := visualGenome.ReadFile("visualgenome/" + kind + "_vocab.txt")
	if err != nil {
		return nil
	}
	list, _ := vision.ParseNames(text)
	return list
}

// VisualGenome has the names that published features go by: those of presets vision.ButdCaffe, D2MaxNMS and HFFRCNN.
func VisualGenome() vision.Vocabulary {
	return vision.Vocabulary{Objects: builtIn("objects"), Attributes: builtIn("attributes")}
}
