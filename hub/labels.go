package hub

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"os"
	"path/filepath"

	"github.com/go-lxmert/lxmert/internal/atomicfile"
	"github.com/go-lxmert/lxmert/internal/plainfile"
)

const (
	labelsName            = "labels.json"
	labelsFolder          = "lxmert-labels" // in the cache, beside the models
	defaultLabelsEndpoint = "https://raw.githubusercontent.com"
	labelsSource          = "airsplay/lxmert/0db1182b9030da3ce41f17717cc628e1cd0a95d5/data" // the authors' repository, at its last commit
)

// A labelFile is an answer table that LXMERT's authors keep with their program, not with their models.
type labelFile struct {
	name, path, sha256 string
	size               int64
}

// knownLabels are the tables of the models that the authors have published.
var knownLabels = map[string]labelFile{
	"unc-nlp/lxmert-vqa-uncased": { // 3,129 answers
		"vqa_trainval_label2ans.json", "vqa/trainval_label2ans.json", "e72e568a6303130f5a627db06360605ee3b306366ff463aa5153d782adc12a7d", 46668,
	},
	"unc-nlp/lxmert-gqa-uncased": { // 1,842 answers
		"gqa_trainval_label2ans.json", "gqa/trainval_label2ans.json", "3ba2e3668760dfcfcfe40dc58711a7c551ca7da48be87a7fdd3fae9963f8264d", 20586,
	},
	"unc-nlp/lxmert-base-uncased": { // 9,500 answers
		"all_ans.json", "lxmert/all_ans.json", "b860c6cd7b8fe3afa1e5308933664c37bc8728eff967e9845543169a06d012b8", 986576,
	},
}

// labels is the path of the model's answer table, from the cache or downloaded; empty if none is known, or if it cannot be had, which is noted.
func (p *pull) labels(ctx context.Context, mayAsk bool) string {
	table, known := knownLabels[p.name.repo]
	if !known {
		return ""
	}
	path := filepath.Join(p.settings.cache, labelsFolder, table.name)
	content, err := plainfile.Read(path, table.size)
	if err == nil {
		err = table.check(content)
	}
	if err == nil {
		return path
	}
	if mayAsk {
		err = p.fetchLabels(ctx, table, path)
	}
	if err != nil {
		p.note(fmt.Sprintf("%s: what its answers are is not known: %v; the table can be given by hand (--labels)", p.name, err))
		return ""
	}
	return path
}

func (t labelFile) check(content []byte) error {
	if sum := sha256.Sum256(content); int64(len(content)) != t.size || hex.EncodeToString(sum[:]) != t.sha256 {
		return fmt.Errorf("%w: %s: found %d bytes with SHA-256 %x, want %d with %s", ErrCorrupt, t.name, len(content), sum, t.size, t.sha256)
	}
	return nil
}

// fetchLabels downloads a table. The token is the hub's, and stays at home.
func (p *pull) fetchLabels(ctx context.Context, t labelFile, path string) error {
	var content []byte
	err := p.client.insist(ctx, 3, func() error {
		ctx, cancel := p.client.limited(ctx)
		defer cancel()
		response, _, err := p.client.do(ctx, http.MethodGet, p.labelsEndpoint.JoinPath(labelsSource, t.path), nil, false)
		if err != nil {
			return err
		}
		defer response.Body.Close()
		content, err = readAnswer(ctx, response, t.size)
		return err
	})
	if err == nil {
		err = t.check(content)
	}
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return err
	}
	return atomicfile.WriteBytes(path, 0o666, content)
}
