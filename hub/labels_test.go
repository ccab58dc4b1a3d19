package hub

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// vqaStandIn has a model of LXMERT's authors' name; its answer table is a made one, so that the real one need not be here.
func vqaStandIn(t *testing.T) (*standIn, *desk, string) {
	t.Helper()
	const repo = "unc-nlp/lxmert-vqa-uncased"
	table := `["yes", "no"]`
	known := knownLabels[repo]
	knownLabels[repo] = labelFile{known.name, known.path, contentSHA256(table), int64(len(table))}
	t.Cleanup(func() { knownLabels[repo] = known })
	s := newStandIn(t)
	handler := s.Config.Handler
	s.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.URL.Path = strings.Replace(r.URL.Path, repo, testRepo, 1)
		handler.ServeHTTP(w, r)
	})
	d := s.desk(t)
	d.Token = "hf_secret" // which the store must not see
	return s, d, table
}

const tablePath = "/airsplay/lxmert/0db1182b9030da3ce41f17717cc628e1cd0a95d5/data/vqa/trainval_label2ans.json"

func TestLabels(t *testing.T) {
	s, d, table := vqaStandIn(t)
	s.intercept("GET", tablePath, func(w http.ResponseWriter, _ *http.Request, _ int) bool {
		fmt.Fprint(w, table)
		return true
	})
	got := d.pull(t, "unc-nlp/lxmert-vqa-uncased")
	if got.Labels != filepath.Join(d.Cache, "lxmert-labels", "vqa_trainval_label2ans.json") {
		t.Fatalf("found %+v, notes %q", got, d.notes)
	}
	if content, err := os.ReadFile(got.Labels); err != nil || string(content) != table {
		t.Errorf("found %q, %v", content, err)
	}
	s.forget()
	d.Offline = true
	if again := d.pull(t, "unc-nlp/lxmert-vqa-uncased"); again.Labels != got.Labels || len(s.requests()) > 0 {
		t.Errorf("found %+v, %v", again, s.requests())
	}
	write(t, got.Labels, `["no", "yes"]`)
	if again := d.pull(t, "unc-nlp/lxmert-vqa-uncased"); again.Labels != "" || len(d.notes) != 1 || !strings.Contains(d.notes[0], "want 13 with "+contentSHA256(table)) {
		t.Errorf("a table that somebody has changed: %+v, notes %q", again, d.notes)
	}
	d.Offline = false
	if again := d.pull(t, "unc-nlp/lxmert-vqa-uncased"); again.Labels != got.Labels {
		t.Errorf("it is not downloaded again: %+v", again)
	}
}

// TestLabelsCannotBeHad: the model is there all the same.
func TestLabelsCannotBeHad(t *testing.T) {
	for name, answer := range map[string]func(w http.ResponseWriter){
		"404":     func(w http.ResponseWriter) { w.WriteHeader(http.StatusNotFound) },
		"endless": func(w http.ResponseWriter) { fmt.Fprint(w, strings.Repeat("x", 1<<20)) },
		"another": func(w http.ResponseWriter) { fmt.Fprint(w, `["no", "yes"]`) },
	} {
		t.Run(name, func(t *testing.T) {
			s, d, _ := vqaStandIn(t)
			s.intercept("GET", tablePath, func(w http.ResponseWriter, _ *http.Request, _ int) bool { answer(w); return true })
			got := d.pull(t, "unc-nlp/lxmert-vqa-uncased")
			if got.Labels != "" || len(d.notes) != 1 || !strings.Contains(d.notes[0], "--labels") {
				t.Errorf("found %+v, notes %q", got, d.notes)
			}
		})
	}
}

// TestOwnLabels: a model that brings its table needs no other.
func TestOwnLabels(t *testing.T) {
	s, d, _ := vqaStandIn(t)
	s.commits[oldCommit]["labels.json"] = "[]"
	if got := d.pull(t, "unc-nlp/lxmert-vqa-uncased"); got.Labels != "" || len(s.requests("lxmert-vqa")) > 0 || len(d.notes) > 0 {
		t.Errorf("found %+v, notes %q", got, d.notes)
	}
}
