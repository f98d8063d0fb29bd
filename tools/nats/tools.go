//go:build tools

// Pins the NATS server that the benchmark compares with.
package tools

import _ "github.com/nats-io/nats-server/v2"
