// The worker of the page: the library's, and before it what only the page asks for.
import './page-requests';
import 'onnx-ptq/worker';
