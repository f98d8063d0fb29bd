"""Entry point of the managed Python runtimes; the work is in headgate_runtime, whose bytecode is cached."""

import headgate_runtime

headgate_runtime.main()
