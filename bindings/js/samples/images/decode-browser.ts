// Decoding in browsers: WebP, GIF, BMP and whatever else the browser itself can decode. Not for
// JPEG and PNG, so that those have the same bytes everywhere.
import type { DecodedImage, DecodePlatform } from './decoded-image.js';

export const browserDecodePlatform: DecodePlatform = {
  compileJpegDecoder: async () => null,

  async decodeOther(bytes): Promise<DecodedImage | null> {
    if (typeof createImageBitmap === 'undefined' || typeof OffscreenCanvas === 'undefined')
      return null;
    let bitmap: ImageBitmap;
    try {
      bitmap = await createImageBitmap(new Blob([bytes as Uint8Array<ArrayBuffer>]), {
        colorSpaceConversion: 'none', // the default applies the picture's profile
        premultiplyAlpha: 'none',
        imageOrientation: 'none',
      });
    } catch {
      return null;
    }
    const { width, height } = bitmap;
    const context = new OffscreenCanvas(width, height).getContext('2d', {
      willReadFrequently: true,
    });
    if (!context) return null;
    context.drawImage(bitmap, 0, 0);
    bitmap.close();
    return { width, height, channels: 4, data: context.getImageData(0, 0, width, height).data };
  },
};
