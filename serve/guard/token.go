package guard

import (
	"bufio"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
)

// minToken is the fewest characters of a token; with fewer it could be guessed.
const minToken = 16

// Tokens are the bearer tokens (RFC 6750) with which a client may come. Only their hashes are kept.
type Tokens struct{ hashes [][sha256.Size]byte }

// NewTokens makes tokens of 16 or more of the characters that RFC 6750 allows. Its errors count tokens from 1 and do not show them.
func NewTokens(tokens ...string) (*Tokens, error) {
	if len(tokens) == 0 {
		return nil, errors.New("no tokens, want one or more")
	}
	t := new(Tokens)
	for i, token := range tokens {
		if err := checkToken(token); err != nil {
			return nil, fmt.Errorf("token %d %w", i+1, err)
		}
		t.hashes = append(t.hashes, sha256.Sum256([]byte(token)))
	}
	return t, nil
}

// ReadTokens reads a file of tokens, one a line; empty lines and lines that begin with # do not count.
func ReadTokens(path string) (*Tokens, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	t, err := readTokens(file)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return t, nil
}

func readTokens(from io.Reader) (*Tokens, error) {
	t := new(Tokens)
	lines := bufio.NewScanner(from)
	for n := 1; lines.Scan(); n++ {
		token := strings.TrimSpace(lines.Text())
		if token == "" || token[0] == '#' {
			continue
		}
		if err := checkToken(token); err != nil {
			return nil, fmt.Errorf("line %d: the token %w", n, err)
		}
		t.hashes = append(t.hashes, sha256.Sum256([]byte(token)))
	}
	if err := lines.Err(); err != nil {
		return nil, err
	}
	if len(t.hashes) == 0 {
		return nil, errors.New("found no tokens, want one or more, one a line")
	}
	return t, nil
}

// checkToken says what is wrong with a token without showing it.
func checkToken(token string) error {
	if len(token) < minToken {
		return fmt.Errorf("has %d characters, want %d or more; `openssl rand -hex 32` makes a good one", len(token), minToken)
	}
	body := strings.TrimRight(token, "=")
	for i := range len(body) {
		switch c := body[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		case strings.IndexByte("-._~+/", c) >= 0:
		default:
			return fmt.Errorf("has a character at place %d that a bearer token may not have, want letters, digits and -._~+/ only", i+1)
		}
	}
	return nil
}

// Allow says whether the value of an Authorization header, such as "Bearer s3cr3t...", holds one of the tokens. How long it takes depends on the
// header's length and the number of tokens, not on what they are: hashes are compared, all of them, each in constant time.
func (t *Tokens) Allow(authorization string) bool {
	scheme, token, _ := strings.Cut(authorization, " ")
	hash := sha256.Sum256([]byte(strings.TrimSpace(token)))
	found := 0
	for i := range t.hashes {
		found |= subtle.ConstantTimeCompare(t.hashes[i][:], hash[:])
	}
	return found == 1 && strings.EqualFold(scheme, "Bearer")
}

// authorised refuses requests without a token, but for public paths.
func (g *guard) authorised(next http.Handler) http.Handler {
	if g.Tokens == nil {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if g.Public.Match(r) {
			next.ServeHTTP(w, r)
			return
		}
		sent := r.Header.Values("Authorization")
		if len(sent) == 1 && g.Tokens.Allow(sent[0]) {
			next.ServeHTTP(w, r)
			return
		}
		challenge, message := `Bearer realm="lxmert"`, "A token is needed: send the header Authorization: Bearer TOKEN."
		if len(sent) > 0 {
			challenge, message = challenge+`, error="invalid_token"`, "The token in the Authorization header is not one that this server knows."
		}
		w.Header().Set("WWW-Authenticate", challenge)
		g.refuse(w, r, reasonToken, Refusal{Status: http.StatusUnauthorized, Code: "unauthorized", Message: message})
	})
}
