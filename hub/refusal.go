package hub

import (
	"errors"
	"fmt"
	"net/http"
)

// explained says what an answer of 4xx means, and what to do about it. The hub answers 401 to who gives no token, also where there is no such model, so as
// not to tell which private ones there are.
func (p *pull) explained(err error) error {
	var status *statusError
	if !errors.As(err, &status) || errors.Is(err, ErrUnreachable) {
		return err
	}
	page := p.client.endpoint.JoinPath(p.name.repo)
	tokens := p.client.endpoint.JoinPath("settings", "tokens")
	switch {
	case status.reason == "GatedRepo" && status.authenticated:
		return fmt.Errorf("%w: the model is gated: accept its licence at %s with the token's account (%w)", ErrAccess, page, err)
	case status.reason == "GatedRepo":
		return fmt.Errorf("%w: the model is gated: accept its licence at %s, make a token at %s and set HF_TOKEN to it (%w)", ErrAccess, page, tokens, err)
	case status.reason == "RevisionNotFound":
		return fmt.Errorf("%w: the model has no revision %q (%w)", ErrNotFound, p.name.revision, err)
	case status.reason == "EntryNotFound":
		return fmt.Errorf("%w: the model has no such file (%w)", ErrNotFound, err)
	case status.code == http.StatusUnauthorized && status.authenticated && status.reason != "RepoNotFound":
		return fmt.Errorf("%w: the token is not valid; see HF_TOKEN, HF_TOKEN_PATH, and %s (%w)", ErrAccess, tokens, err)
	case status.code == http.StatusUnauthorized:
		return fmt.Errorf("%w, or %w: there is no such model, or it is private: then make a token at %s and set HF_TOKEN to it (%w)", ErrNotFound, ErrAccess, tokens, err)
	case status.code == http.StatusForbidden:
		return fmt.Errorf("%w: the token does not open this model; see %s and %s (%w)", ErrAccess, page, tokens, err)
	case status.code == http.StatusNotFound:
		return fmt.Errorf("%w: there is no such model, or the token does not open it (%w)", ErrNotFound, err)
	}
	return err
}
