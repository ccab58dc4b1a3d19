package wire

import (
	"encoding/base64"

	"github.com/go-lxmert/lxmert/serve/service"
)

// DecodeBase64 reads base64 as clients write it: in either alphabet (RFC 4648, §4 and §5), with padding or without, with line breaks and blanks or without.
func DecodeBase64(text string) ([]byte, error) {
	digits := make([]byte, 0, len(text))
	padding := 0
	for i := range len(text) {
		switch c := text[i]; {
		case c == '\n', c == '\r', c == ' ', c == '\t':
		case c == '=' && padding < 2:
			padding++
		case padding > 0:
			return nil, service.Invalidf("base64: there is more after the padding, at byte %d", i)
		case c == '-':
			digits = append(digits, '+')
		case c == '_':
			digits = append(digits, '/')
		case 'A' <= c && c <= 'Z', 'a' <= c && c <= 'z', '0' <= c && c <= '9', c == '+', c == '/':
			digits = append(digits, c)
		default:
			return nil, service.Invalidf("base64: found %q at byte %d", text[i:i+1], i)
		}
	}
	content := make([]byte, base64.RawStdEncoding.DecodedLen(len(digits)))
	n, err := base64.RawStdEncoding.Decode(content, digits)
	if err != nil {
		return nil, service.Invalidf("base64: %d digits, which is no whole number of bytes: its end is missing", len(digits))
	}
	return content[:n], nil
}
