package openai

import (
	"testing"

	"github.com/go-lxmert/lxmert/serve/internal/trial"
)

func TestRecorded(t *testing.T) { trial.Recorded(t, "testdata/recorded.json", routes(t), scene(t)) }
