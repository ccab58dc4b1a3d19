package wire

import (
	"slices"
	"strings"

	"github.com/go-lxmert/lxmert/serve/service"
)

// anyModel are names that clients give when they know none: ours, and what Hugging Face's clients send where a URL is all they have.
var anyModel = []string{"", "lxmert", "dummy", "tgi"}

// Model finds a model by its name as clients write it: as the server has it; "organisation/name" of the hub, of which the server has the name alone; or a
// name that stands for any, which is the first. The error is [service.NotFound], with the names that there are.
func Model(s *service.Service, name string) (service.Card, error) {
	card, err := s.Card(name)
	if err == nil || service.KindOf(err) != service.NotFound {
		return card, err
	}
	if slices.Contains(anyModel, name) || strings.HasPrefix(name, "http://") || strings.HasPrefix(name, "https://") {
		return s.Card("")
	}
	if i := strings.LastIndexByte(name, '/'); i >= 0 && name[i+1:] != "" {
		if card, other := s.Card(name[i+1:]); other == nil {
			return card, nil
		}
	}
	return service.Card{}, err
}
