//go:build tools

// Package tools pins what the HTTP/2 conformance suite is built from.
package tools

import _ "github.com/summerwind/h2spec/cmd/h2spec"
